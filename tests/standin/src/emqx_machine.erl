%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The application: boot sequence, supervision, and the start and stop of what a join or a
%% leave takes down (listeners and everything that `emqx:is_running()' stands for).
-module(emqx_machine).
-behaviour(application).
-behaviour(supervisor).
-include_lib("kernel/include/logger.hrl").
-export([start/2, stop/1, init/1]).
-define(STARTER, emqx_machine_starter).
-define(APPS_START_MS, 300).

-export([start_apps/0, start_apps/1, stop_apps/0, running_since/0, graceful_shutdown/0, starter/0]).

start(_Type, _Args) ->
    persistent_term:put({?MODULE, boot}, self()),
    setup_log(),
    ok = emqx_conf:init(),
    ok = emqx_connection:init(),
    {ok, Sup} = supervisor:start_link({local, emqx_machine_sup}, ?MODULE, []),
    mria:start(),
    mria_rlog:role() =:= core andalso emqx_mgmt_auth:init(),
    emqx_ctl:load(),
    timer:sleep(emqx_standin:milliseconds("EMQX_STANDIN_BOOT_SECONDS")),
    {ok, _} = starter(),
    ok = emqx_license:watch(),
    persistent_term:erase({?MODULE, boot}),
    ekka:autocluster(),
    {ok, Sup}.

stop(_State) -> ok.

setup_log() ->
    %% EMQX logs warnings and worse: the alerts of TLS, which are notices, are not among them.
    ok = logger:set_application_level(ssl, warning),
    ok = logger:set_primary_config(level, notice),
    Template = #{template => [time, " [", level, "] ", msg, "\n"], time_offset => "+00:00"},
    Formatter = {logger_formatter, Template#{single_line => true}},
    {ok, Dir} = application:get_env(emqx, log_dir),
    To = os:getenv("EMQX_DEFAULT_LOG_HANDLER", "console"),
    To =:= "console" orelse
        logger:add_handler(file, logger_std_h, #{
            config => #{file => filename:join(Dir, "emqx.log.1"), max_no_bytes => 52428800},
            formatter => Formatter
        }),
    case To of
        "file" -> logger:remove_handler(default);
        _ -> logger:set_handler_config(default, formatter, Formatter)
    end.

%%-- supervision -------------------------------------------------------------------
init([]) ->
    Strategy = emqx_conf:get([cluster, discovery_strategy]),
    Discovery = ekka_cluster_strategy:children(Strategy, emqx_conf:get([cluster, Strategy], #{})),
    Own = [#{id => M, start => {M, start_link, []}} || M <- [mria_membership, mria_lb, ekka_autocluster]],
    {ok, {#{strategy => one_for_one, intensity => 0},
          Discovery ++ [listener(gen_rpc_server, gen_rpc_server:bind()) | Own]}}.

listener(Module, Bind) ->
    #{id => Module, start => {emqx_listener, start_link, [Module, Module, Bind, none]}}.

%%-- what a join takes down ------------------------------------------------------------
running_since() -> persistent_term:get({?MODULE, running}, undefined).

%% Stopping the applications of a node that still boots takes the node down, as it may in
%% EMQX before 6.1.4.
stop_apps() ->
    case persistent_term:get({?MODULE, boot}, undefined) of
        undefined -> ok;
        Boot -> exit(Boot, {apps_stopped_during_boot, node()})
    end,
    wait_for_starter(),
    persistent_term:erase({?MODULE, running}),
    case supervisor:terminate_child(emqx_machine_sup, emqx_sup) of
        ok -> supervisor:delete_child(emqx_machine_sup, emqx_sup);
        {error, not_found} -> ok
    end.

%% Returns at once; the listeners are back a moment later, as in EMQX.
start_apps() -> start_apps(0).

%% after a join, whose tables take this long to be copied
start_apps(Copy) ->
    Starter = spawn(fun() ->
        group_leader(whereis(user), self()),
        mria:copying(fun() -> timer:sleep(?APPS_START_MS + Copy) end),
        {ok, _} = starter()
    end),
    true = register(?STARTER, Starter),
    ok.

wait_for_starter() ->
    Ref = monitor(process, ?STARTER),
    receive
        {'DOWN', Ref, process, _, _} -> ok
    end.

starter() ->
    ok = emqx_cluster_rpc:catch_up(),
    ok = emqx_conf:init(),
    case emqx_license:check() of
        ok ->
            %% Also after a leave, which deletes all users.
            mria_rlog:role() =:= core andalso emqx_dashboard_admin:ensure_default(),
            ok = emqx_telemetry:ensure_uuids(),
            start_sup();
        {error, Reason} ->
            ?LOG_ERROR("failed_to_start_app emqx_license: ~0p", [Reason]),
            init:stop(1),
            {error, Reason}
    end.

start_sup() ->
    Spec = #{id => emqx_sup, start => {emqx_listeners, start_link, []}, type => supervisor},
    case supervisor:start_child(emqx_machine_sup, Spec) of
        {ok, Pid} ->
            persistent_term:put({?MODULE, running}, erlang:monotonic_time(millisecond)),
            {ok, Pid};
        {error, Reason} ->
            ?LOG_ERROR("failed to start the listeners: ~0p", [Reason]),
            {error, Reason}
    end.

graceful_shutdown() ->
    init:stop().
