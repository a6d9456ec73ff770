%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The `emqx ctl' commands. Failed joins and leaves answer `ok' in 5.8, and an error from 5.9 on.
-module(emqx_mgmt_cli).
-export([commands/0]).
-import(emqx_ctl, [print/1, print/2, warning/2]).

%% {Name, Fun, [{Usage, Description}]}
commands() -> commands(emqx_release:edition()).

commands(ee) ->
    commands(ce) ++
    [{"license", fun license/1,
      [{"license info", "Show license info"}]},
     {"rebalance", fun emqx_node_rebalance:cli/1, emqx_node_rebalance:usage()}];
commands(ce) ->
    [{"status", fun status/1, [{"status", "Show broker status"}]},
     {"broker", fun broker/1,
      [{"broker", "Show broker version, uptime and description"},
       {"broker stats", "Show broker statistics of clients, topics, subscribers"},
       {"broker metrics", "Show broker metrics"}]},
     {"cluster", fun cluster/1,
      [{"cluster join <Node>", "Join the cluster"}, {"cluster leave", "Leave the cluster"},
       {"cluster force-leave <Node>", "Force the node leave from cluster"},
       {"cluster status [--json]", "Cluster status"},
       {"cluster discovery enable", "Enable and run automatic cluster discovery (if configured)"}]},
     {"admins", fun admins/1,
      [{"admins add <Username> <Password> <Description>", "Add dashboard user"},
       {"admins passwd <Username> <Password>", "Reset dashboard user password"},
       {"admins del <Username>", "Delete dashboard user"}]},
     {"conf", fun emqx_conf_cli:cli/1, emqx_conf_cli:usage()},
     {"listeners", fun listeners/1, [{"listeners", "List listeners"}]},
     {"data", fun data/1,
      [{"data import <File>", "Import data from the specified tar archive file"},
       {"data export [--dir <Dir>]", "Export data"}]},
     {"mnesia", fun(_) -> mnesia:info() end, [{"mnesia", "Mnesia system info"}]}].

usage(Name) ->
    {_, _, Lines} = lists:keyfind(Name, 1, commands()),
    emqx_ctl:usage(Lines).

status([]) ->
    {Status, _} = init:get_status(),
    print("Node ~p ~ts is ~p~n", [node(), emqx_release:version(), Status]);
status(_) ->
    usage("status").

broker([]) ->
    [print("~-10s: ~ts~n", [K, V])
     || {K, V} <- [{"sysdescr", emqx_sys:sysdescr()}, {"version", emqx_sys:version()},
                   {"datetime", emqx_sys:datetime()}, {"uptime", uptime(emqx_sys:uptime() div 1000)}]],
    ok;
broker([What]) when What =:= "stats"; What =:= "metrics" ->
    Clients = emqx_connection:count(),
    [print("~-30s: ~p~n", [K, V])
     || {K, V} <- [{"connections.count", Clients}, {"live_connections.count", Clients},
                   {"retained.count", mnesia:table_info(emqx_retainer_message, size)}, {"sessions.count", Clients}]],
    ok;
broker(_) ->
    usage("broker").

uptime(S) when S < 60 -> io_lib:format("~b seconds", [S]);
uptime(S) when S < 3600 -> io_lib:format("~b minutes, ~s", [S div 60, uptime(S rem 60)]);
uptime(S) when S < 86400 -> io_lib:format("~b hours, ~b minutes, ~s", [S div 3600, S rem 3600 div 60, uptime(S rem 60)]);
uptime(S) -> io_lib:format("~b days, ~b hours, ~b minutes, ~s",
                           [S div 86400, S rem 86400 div 3600, S rem 3600 div 60, uptime(S rem 60)]).

%%-- cluster -----------------------------------------------------------------------
cluster(["join", Name]) ->
    result(ekka:join(parse_name(Name)), "Join the cluster successfully.", "join the cluster");
cluster(["leave"]) ->
    case emqx_conf:get([cluster, discovery_strategy]) of
        manual ->
            ok;
        _ ->
            ekka_autocluster:disable(),
            print("Automatic cluster discovery is disabled on this node: ~p to avoid re-joining the "
                  "same cluster again, if the node is not stopped soon. To enable it run: 'emqx ctl "
                  "cluster discovery enable' or restart the node.~n", [node()])
    end,
    result(ekka:leave(), "Leave the cluster successfully.", "leave the cluster");
cluster(["force-leave", Name]) ->
    result(ekka:force_leave(parse_name(Name)), "Remove the node from cluster successfully.",
           "remove the node from cluster");
cluster(["status"]) ->
    print("Cluster status: ~p~n", [ekka:cluster_info()]);
cluster(["status", "--json"]) ->
    Names = fun(Nodes) -> lists:sort([atom_to_binary(N) || N <- Nodes]) end,
    #{running_nodes := Running, stopped_nodes := Stopped} = ekka:cluster_info(),
    print("~ts", [emqx_utils_json:encode_pretty([{stopped_nodes, Names(Stopped)},
                                                 {running_nodes, Names(Running)}])]);
cluster(["discovery", "enable"]) ->
    ekka:autocluster(),
    print("Automatic cluster discovery enabled.~n");
cluster(_) ->
    usage("cluster").

result(ok, Success, _) ->
    print("~s~n", [Success]),
    case mria_rlog:role() of
        core -> cluster(["status"]);
        replicant -> ok
    end;
result(ignore, _, _) ->
    print("Ignore.~n");
result({error, Reason}, _, Action) ->
    print("Failed to ~s: ~0p~n", [Action, Reason]),
    %% A failed force-leave counts as success in every version.
    case emqx_release:edition() =:= ce orelse Action =:= "remove the node from cluster" of
        true -> ok;
        false -> {error, Reason}
    end.

%% a name without a host is one on this host
parse_name(Name) ->
    case lists:member($@, Name) of
        true -> list_to_atom(Name);
        false -> list_to_atom(Name ++ "@" ++ lists:last(string:split(atom_to_list(node()), "@")))
    end.

license(["info"]) ->
    [print(case is_integer(V) of true -> "~-16s: ~p~n"; false -> "~-16s: ~s~n" end, [K, V]) || {K, V} <- emqx_license:dump()],
    ok;
license(_) ->
    usage("license").

%%-- dashboard users -----------------------------------------------------------------
admins(["add", User, Password]) ->
    admins(["add", User, Password, ""]);
admins(["add", User, Password, Description]) ->
    admin_result(emqx_dashboard_admin:add(bin(User), bin(Password), bin(Description)));
admins(["passwd", User, Password]) ->
    admin_result(emqx_dashboard_admin:passwd(bin(User), bin(Password)));
admins(["del", User]) ->
    admin_result(emqx_dashboard_admin:remove(bin(User)));
admins(_) ->
    usage("admins").

admin_result({error, Reason}) -> print("Error: ~ts~n", [Reason]);
admin_result(_) -> print("ok~n").

bin(Text) -> unicode:characters_to_binary(Text).

%%-- listeners -----------------------------------------------------------------------
listeners([]) ->
    lists:foreach(fun listener/1, emqx_listeners:list());
listeners(_) ->
    usage("listeners").

listener({Id, Info}) ->
    print("~ts~n", [Id]),
    [print("  ~-16s: ~ts~n", [K, V]) || {K, V} <- Info],
    ok.

%%-- backup --------------------------------------------------------------------------
data(["export"]) ->
    Dir = filename:join(emqx:data_dir(), "backup"),
    ok = filelib:ensure_path(Dir),
    data(["export", "--dir", Dir]);
data(["export", "--dir", Dir]) ->
    case emqx_mgmt_data_backup:export(Dir) of
        {ok, File} -> print("Data has been successfully exported to ~ts.~n", [File]);
        %% 5.8.9 gives no reason.
        {error, _} = Error -> Error
    end;
data(["import", File]) ->
    case emqx_mgmt_data_backup:import(File) of
        ok -> print("Data has been imported successfully.~n");
        {error, Reason} -> print("[error] Data import failed, reason: ~p.~n", [Reason])
    end;
data(_) ->
    usage("data").
