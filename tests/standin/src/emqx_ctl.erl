%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The command table behind `emqx ctl' and `emqx eval'.
-module(emqx_ctl).
-include_lib("kernel/include/logger.hrl").
-export([load/0, run_command/1, print/1, print/2, warning/2, usage/1]).

load() -> persistent_term:put(?MODULE, true).

%% `ok' makes exit code 0, everything else 1.
run_command([]) ->
    help();
run_command([eval_erl | Exprs]) ->
    try erl_eval:exprs(Exprs, erl_eval:new_bindings()) of
        {value, Value, _} -> {ok, Value}
    catch
        Class:Reason:Stack -> {error, {Class, Reason, Stack}}
    end;
run_command([Cmd | Args]) ->
    case {persistent_term:get(?MODULE, false), lists:keyfind(Cmd, 1, emqx_mgmt_cli:commands())} of
        {false, _} ->
            print("Command table is initializing.~n"),
            {error, cmd_is_initializing};
        {true, false} ->
            help(),
            {error, cmd_not_found};
        {true, {Cmd, Fun, _Usage}} ->
            try
                Fun(Args)
            catch
                _:Reason:Stack ->
                    ?LOG_ERROR("ctl_command_crashed ~p ~0p", [Cmd, {Reason, Stack}]),
                    {error, Reason}
            end
    end.

help() ->
    print("Usage: ~ts~n", ["emqx ctl"]),
    [begin
         print("~110..-s~n", [""]),
         usage(Lines)
     end || {_, _, Lines} <- emqx_mgmt_cli:commands()],
    ok.

usage(Lines) ->
    Width = lists:max([length(C) || {C, _} <- Lines]),
    [print("~s # ~s~n", [string:pad(C, Width), D]) || {C, D} <- Lines],
    ok.

print(Text) -> print(Text, []).
print(Format, Args) -> io:format(Format, Args).

%% The colour does not count where a term is broken into lines.
warning(Format, Args) -> print("\e[31m~ts\e[0m", [io_lib:format(Format, Args)]).
