%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% A replicant's copy of the tables: an agent on the core sends all records first, then every
%% change. Both ends go down together.
-module(mria_replica).
-export([start_link/2, upstream/0, served/0, agent/2]).

-define(AGENT, "mria_agent_").

%% Tells Parent `{bootstrapped, Core}' when the copy is complete.
start_link(Core, Parent) ->
    spawn_link(fun() ->
        Agent = spawn_link(Core, ?MODULE, agent, [self(), node()]),
        bootstrap(Agent, Core, Parent)
    end).

upstream() -> persistent_term:get({?MODULE, upstream}, undefined).

served() -> lists:sort([list_to_atom(N) || R <- registered(), ?AGENT ++ N <- [atom_to_list(R)]]).

%%-- on the core -------------------------------------------------------------------
agent(Replica, Replicant) ->
    true = register(list_to_atom(?AGENT ++ atom_to_list(Replicant)), self()),
    Tables = [T || {T, _} <- mria_schema:tables()],
    [{ok, _} = mnesia:subscribe({table, T, simple}) || T <- Tables],
    [Replica ! {records, T, ets:tab2list(T)} || T <- Tables],
    Replica ! complete,
    forward(Replica).

forward(Replica) ->
    receive
        {mnesia_table_event, Event} ->
            Replica ! Event,
            forward(Replica)
    end.

%%-- on the replicant --------------------------------------------------------------
bootstrap(Agent, Core, Parent) ->
    receive
        {records, Table, Records} ->
            {atomic, ok} = mnesia:clear_table(Table),
            [ok = mnesia:dirty_write(R) || R <- Records],
            bootstrap(Agent, Core, Parent);
        complete ->
            persistent_term:put({?MODULE, upstream}, Core),
            Parent ! {bootstrapped, Core},
            follow()
    end.

follow() ->
    receive
        {write, Record, _} -> mnesia:dirty_write(Record);
        {delete, {Table, Key}, _} -> mnesia:dirty_delete(Table, Key);
        {delete_object, Record, _} -> mnesia:dirty_delete_object(Record)
    end,
    follow().
