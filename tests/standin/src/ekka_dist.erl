%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `-proto_dist ekka': the carrier named by EKKA_PROTO_DIST_MOD behind EMQX's flag.
-module(ekka_dist).
-export([listen/1, listen/2, select/1, accept/1, accept_connection/5, setup/5, close/1,
         childspecs/0, is_node_name/1, address/0]).

listen(Name) -> listened((carrier()):listen(Name)).
listen(Name, Host) -> listened((carrier()):listen(Name, Host)).

%% EMQX is seconds into its boot when it finds its port taken: until then `ps' shows two
%% nodes of one root directory and the command line refuses to choose.
listened({error, eaddrinuse} = Error) ->
    timer:sleep(3000),
    Error;
listened(Result) ->
    Result.

select(Node) -> (carrier()):select(Node).
accept(Listen) -> (carrier()):accept(Listen).
accept_connection(AcceptPid, Socket, MyNode, Allowed, SetupTime) ->
    (carrier()):accept_connection(AcceptPid, Socket, MyNode, Allowed, SetupTime).
setup(Node, Type, MyNode, LongOrShortNames, SetupTime) ->
    (carrier()):setup(Node, Type, MyNode, LongOrShortNames, SetupTime).
close(Listen) -> (carrier()):close(Listen).
is_node_name(Node) -> dist_util:is_node_name(Node).
address() -> (carrier()):address().
childspecs() ->
    case lists:member({childspecs, 0}, (carrier()):module_info(exports)) of
        true -> (carrier()):childspecs();
        false -> {ok, []}
    end.

carrier() ->
    case os:getenv("EKKA_PROTO_DIST_MOD", "inet_tcp") of
        "inet_tcp" -> inet_tcp_dist;
        "inet6_tcp" -> inet6_tcp_dist;
        "inet_tls" -> inet_tls_dist;
        "inet6_tls" -> inet6_tls_dist;
        Other -> error({unsupported_proto_dist, Other})
    end.
