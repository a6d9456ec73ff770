%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The helper VM behind bin/emqx: `nodetool hocon ..' reads and checks configuration files,
%% everything else talks to a running node over the Erlang distribution.
-module(nodetool).
-export([main/0]).

-define(SHUTDOWN_TIMEOUT, 120000).

main() ->
    case init:get_plain_arguments() of
        ["hocon" | Args] -> hocon(options(Args, #{conf => []}));
        ["-name", Name | Args] -> remote(longnames, Name, Args);
        ["-sname", Name | Args] -> remote(shortnames, Name, Args)
    end,
    halt(0).

%%-- the running node ------------------------------------------------------------
remote(Domain, Name, ["-setcookie", Cookie, Command | Args]) ->
    [_ | Host] = string:split(Name, "@"),
    Suffix = integer_to_list(list_to_integer(os:getpid()) rem 1000),
    Me = list_to_atom(lists:flatten(lists:join("@", ["remsh_maint_" ++ Suffix | Host]))),
    {ok, _} = net_kernel:start(Me, #{name_domain => Domain, dist_listen => false, hidden => true}),
    Target =
        case Host of
            [] -> list_to_atom(Name ++ "@" ++ lists:last(string:split(atom_to_list(node()), "@")));
            _ -> list_to_atom(Name)
        end,
    erlang:set_cookie(list_to_atom(Cookie)),
    logger:set_primary_config(level, none),
    timer:sleep(helper_vms(Command) * emqx_standin:milliseconds("EMQX_STANDIN_CLI_SECONDS")),
    case net_kernel:hidden_connect_node(Target) andalso net_adm:ping(Target) of
        pong ->
            command(Command, Target, Args);
        _ ->
            io:format(standard_error, "Node ~p not responding to pings.~n", [Target]),
            halt(1)
    end.

%% how many EMQX starts for a command, one after the other
helper_vms("ping") -> 1;
helper_vms("getpid") -> 1;
helper_vms("stop") -> 1;
helper_vms(_) -> 2.

command("ping", _Node, []) ->
    io:format("pong~n");
command("getpid", Node, []) ->
    io:format("~s~n", [rpc:call(Node, os, getpid, [])]);
command("stop", Node, []) ->
    case rpc:call(Node, emqx_machine, graceful_shutdown, [], ?SHUTDOWN_TIMEOUT) of
        ok -> ok;
        {badrpc, nodedown} -> ok;
        {badrpc, timeout} ->
            io:format("EMQX is still shutting down, it failed to stop gracefully "
                      "within the configured timeout of: ~ps~n", [?SHUTDOWN_TIMEOUT div 1000]),
            halt(1)
    end;
command("rpc", Node, [M, F | Args]) ->
    only_ok(Node, rpc:call(Node, list_to_atom(M), list_to_atom(F), [Args], 60000));
command("rpc_infinity", Node, [M, F | Args]) ->
    only_ok(Node, rpc:call(Node, list_to_atom(M), list_to_atom(F), [Args], infinity));
command("rpcterms", Node, [M, F | Args]) ->
    case terms(lists:append(Args)) of
        {ok, Terms} ->
            case rpc:call(Node, list_to_atom(M), list_to_atom(F), Terms, 60000) of
                {badrpc, _} = Failed -> only_ok(Node, Failed);
                Value -> io:format("~p~n", [Value])
            end;
        Error ->
            crash(error, {badmatch, Error}, [frame(consult, 3, 335), frame(do, 1, 162)])
    end;
command("eval", Node, Args) ->
    Text = lists:append(lists:join(" ", Args)),
    Exprs =
        case lists:last([$\s | Text]) of
            $. -> Text;
            _ -> Text ++ "."
        end,
    Parsed =
        case erl_scan:string(Exprs) of
            {ok, Tokens, _} -> erl_parse:parse_exprs(Tokens);
            {error, Info, _} -> {error, Info}
        end,
    case Parsed of
        {ok, Forms} ->
            case rpc:call(Node, emqx_ctl, run_command, [[eval_erl | Forms]], infinity) of
                {ok, Value} -> io:format("~p~n", [Value]);
                {badrpc, _} = Failed -> only_ok(Node, Failed);
                Other -> crash(error, {case_clause, Other}, [frame(do, 1, 175)])
            end;
        Error ->
            crash(error, {badmatch, Error}, [frame(parse_eval_args, 1, 250), frame(do, 1, 171)])
    end.

only_ok(_Node, ok) -> ok;
only_ok(Node, {badrpc, Reason}) ->
    io:format("RPC to ~s failed: ~0p~n", [Node, Reason]),
    halt(1);
only_ok(_Node, _) -> halt(1).

%% every term must end in a dot; 5.8.9 reads the end of the text as one more term
terms(Text) ->
    case erl_scan:string(Text) of
        {ok, Tokens, _} -> terms(Tokens, [], []);
        {error, Info, _} -> {error, Info}
    end.

terms([{dot, _} = Dot | Rest], Term, Acc) ->
    case erl_parse:parse_term(lists:reverse([Dot | Term])) of
        {ok, T} -> terms(Rest, [], [T | Acc]);
        Error -> Error
    end;
terms([Token | Rest], Term, Acc) -> terms(Rest, [Token | Term], Acc);
terms([], [], Acc) -> {ok, lists:reverse(Acc)};
terms([], _Unfinished, _Acc) -> {error, {0, erl_parse, ["syntax error before: ", []]}}.

frame(Function, Arity, Line) ->
    File = filename:join(os:getenv("RUNNER_ROOT_DIR"), "bin/nodetool"),
    {?MODULE, Function, Arity, [{file, File}, {line, Line}]}.

%% escript's report of an uncaught exception, and its exit code
-spec crash(atom(), term(), list()) -> no_return().
crash(Class, Reason, Frames) ->
    Tail = [{escript, run, 2, [{file, "escript.erl"}, {line, 750}]},
            {escript, start, 1, [{file, "escript.erl"}, {line, 277}]},
            {init, start_em, 1, []}, {init, do_boot, 3, []}],
    Stack = lists:sublist(Frames ++ Tail, 8),
    Format = fun(Term, I) -> io_lib:format("~." ++ integer_to_list(I) ++ "tP", [Term, 50]) end,
    Text = erl_error:format_exception(1, Class, Reason, Stack, fun(_, _, _) -> false end, Format, unicode),
    io:format(standard_error, "escript: ~ts~n", [Text]),
    halt(127).

%%-- configuration files -----------------------------------------------------------
options(["-s", _Schema | Rest], O) -> options(Rest, O);
options(["-v" | Rest], O) -> options(Rest, O#{verbose => true});
options(["-c", File | Rest], #{conf := Files} = O) -> options(Rest, O#{conf := Files ++ [File]});
options(["-d", Dir | Rest], O) -> options(Rest, O#{dir => Dir});
options(["-t", Time | Rest], O) -> options(Rest, O#{time => Time});
options([Command | Args], O) -> O#{command => Command, args => Args}.

hocon(#{conf := Files, command := Command} = O) ->
    Releases = filename:join([os:getenv("RUNNER_ROOT_DIR"), "releases", "RELEASES"]),
    case file:consult(Releases) of
        {ok, [[_ | _]]} -> ok;
        {error, Why} -> crash(error, {failed_to_read_RELEASES_file, Releases, Why}, [frame(add_libs_dir, 0, 404), frame(main, 1, 26)])
    end,
    case emqx_conf:load(Files) of
        {ok, Raw} ->
            hocon(Command, O, Raw);
        {error, Error} ->
            io:format(standard_error, "[error]: ~0p~n~n", [Error]),
            halt(1)
    end.

%% Only the roots that are asked for are checked, one after the other.
hocon("multi_get", #{args := Keys}, Raw) ->
    [io:format("~s=~ts~n", [Key, text(get_key(Key, Raw))]) || Key <- Keys];
hocon("check_schema", _O, Raw) ->
    _ = checked(Raw),
    ok;
hocon("generate", #{conf := Files, dir := Dir, time := Time}, Raw) ->
    #{node := Node, cluster := Cluster} = checked(Raw),
    Env = fun(Name) -> os:getenv(Name, "") end,
    App = [
        {emqx, [{config_files, Files}, {etc_dir, Env("EMQX_ETC_DIR")}, {data_dir, Env("RUNNER_DATA_DIR")},
                {log_dir, Env("EMQX_LOG_DIR")}, {root_dir, Env("RUNNER_ROOT_DIR")}]},
        %% until emqx_machine sets up the log: the alerts of TLS are notices
        {kernel, [{logger_level, warning}, {net_ticktime, maps:get(dist_net_ticktime, Node)},
                  {prevent_overlapping_partitions, maps:get(prevent_overlapping_partitions, Cluster)}]},
        {mnesia, [{dump_log_write_threshold, 5000}]}
    ],
    Ports = maps:get(max_ports, Node),
    VmArgs = io_lib:format("+Q ~b~n+P ~b~n+zdbbl ~b~n",
                           [Ports, min(2 * Ports, 134217727), maps:get(dist_buffer_size, Node)]),
    ok = file:write_file(filename:join(Dir, "app." ++ Time ++ ".config"), io_lib:format("~p.~n", [App])),
    ok = file:write_file(filename:join(Dir, "vm." ++ Time ++ ".args"), VmArgs).

checked(Raw) ->
    case emqx_conf_schema:check_all(Raw) of
        {ok, Conf} ->
            Conf;
        {error, Error} ->
            Now = calendar:system_time_to_rfc3339(os:system_time(microsecond), [{unit, microsecond}, {offset, "+00:00"}]),
            io:format("~s [error] failed_to_check_schema: emqx_conf_schema~n", [Now]),
            io:format("~s [error] ~0p~n", [Now, Error]),
            halt(1)
    end.

get_key(Key, Raw) ->
    Path = [Root | _] = binary:split(list_to_binary(Key), <<".">>, [global]),
    case emqx_conf_schema:check_root(Root, Raw) of
        {ok, Conf} ->
            lists:foldl(fun(K, M) -> maps:get(binary_to_atom(K), M, "") end, Conf, tl(Path));
        {error, Error} ->
            %% node is the first root read, cluster is reached one call deeper
            Lines = [194 | [195 || Root =/= <<"node">>]],
            Values = [{hocon_cli, get_values, 3, [{file, "hocon_cli.erl"}, {line, L}]} || L <- Lines],
            crash(throw, {emqx_conf_schema, [Error]},
                  [{hocon_tconf, assert, 2, [{file, "hocon_tconf.erl"}, {line, 1237}]},
                   {hocon_tconf, map, 4, [{file, "hocon_tconf.erl"}, {line, 300}]}] ++ Values ++
                  [{hocon_cli, multi_get, 2, [{file, "hocon_cli.erl"}, {line, 182}]}])
    end.

text(V) when is_list(V) -> V;
text(V) -> io_lib:format("~p", [V]).
