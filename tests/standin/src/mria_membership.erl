%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Who runs, where Mnesia does not tell: a replicant is in nobody's schema. Replicants ping all
%% others, which answer; whoever goes down is forgotten.
-module(mria_membership).
-behaviour(gen_server).
-export([start_link/0, running_core_nodelist/0, running_replicant_nodelist/0, ping/1, reset/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).
running_core_nodelist() -> nodelist(core).
running_replicant_nodelist() -> nodelist(replicant).

nodelist(Role) -> lists:sort([N || {N, R} <- gen_server:call(?MODULE, members), R =:= Role]).

%% Have this node and the others know each other.
ping(Nodes) -> [gen_server:cast({?MODULE, N}, {ping, node(), mria_rlog:role()}) || N <- Nodes].

%% This node goes into another cluster: forget all, and be forgotten by all.
reset() -> gen_server:call(?MODULE, reset).

init([]) -> {ok, own()}.

own() -> #{node() => mria_rlog:role()}.

handle_call(members, _From, Members) ->
    {reply, maps:to_list(Members), Members};
handle_call(reset, _From, Members) ->
    gen_server:abcast(maps:keys(Members) -- [node()], ?MODULE, {left, node()}),
    {reply, ok, own()}.

handle_cast({ping, Node, Role}, Members) ->
    gen_server:cast({?MODULE, Node}, {pong, node(), mria_rlog:role()}),
    {noreply, add(Node, Role, Members)};
handle_cast({pong, Node, Role}, Members) ->
    {noreply, add(Node, Role, Members)};
handle_cast({left, Node}, Members) ->
    {noreply, maps:remove(Node, Members)}.

handle_info({'DOWN', _, process, {?MODULE, Node}, _}, Members) ->
    {noreply, maps:remove(Node, Members)}.

add(Node, _Role, Members) when is_map_key(Node, Members) ->
    Members;
add(Node, Role, Members) ->
    monitor(process, {?MODULE, Node}),
    Members#{Node => Role}.
