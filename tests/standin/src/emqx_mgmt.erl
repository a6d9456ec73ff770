%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(emqx_mgmt).
-export([list_nodes/0, node_info/0]).

%% the running members, as GET /nodes shows them
list_nodes() ->
    [Info || N <- mria:running_nodes(), Info <- [rpc:call(N, ?MODULE, node_info, [])], is_map(Info)].

node_info() ->
    Clients = emqx_connection:count(),
    [Load1, Load5, Load15 | _] = load(),
    {ok, LogDir} = application:get_env(emqx, log_dir),
    #{node => node(), node_status => running, role => mria_rlog:role(),
      version => list_to_binary(emqx_release:version()), edition => edition(emqx_release:edition()),
      uptime => emqx_sys:uptime(), otp_release => otp_release(), connections => Clients,
      live_connections => Clients, cluster_sessions => Clients, load1 => Load1, load5 => Load5, load15 => Load15,
      max_fds => proplists:get_value(max_fds, lists:append(erlang:system_info(check_io)), 0),
      memory_total => gib(memory("MemTotal")),
      memory_used => gib(memory("MemTotal") - memory("MemAvailable")),
      process_available => erlang:system_info(process_limit),
      process_used => erlang:system_info(process_count),
      log_path => list_to_binary(LogDir), sys_path => list_to_binary(code:root_dir())}.

edition(ce) -> <<"Opensource">>;
edition(ee) -> <<"Enterprise">>.

otp_release() ->
    Release = erlang:system_info(otp_release),
    Full = filename:join([code:lib_dir(kernel), "../../releases", Release, "OTP_VERSION"]),
    {ok, Version} = file:read_file(Full),
    <<(string:trim(Version))/binary, "/", (list_to_binary(erlang:system_info(version)))/binary>>.

load() ->
    {ok, Text} = file:read_file("/proc/loadavg"),
    [binary_to_float(F) || F <- lists:sublist(binary:split(Text, <<" ">>, [global]), 3)].

%% in kibibytes
memory(Key) ->
    {ok, Text} = file:read_file("/proc/meminfo"),
    {match, [Kb]} = re:run(Text, Key ++ ": *([0-9]+)", [{capture, [1], list}]),
    list_to_integer(Kb).

%% "23.54G"
gib(Kb) -> list_to_binary(io_lib:format("~.2fG", [Kb / 1048576])).
