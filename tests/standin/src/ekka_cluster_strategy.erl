%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% What a discovery strategy brings: a module ekka_cluster_NAME with these functions. Options are
%% the checked keys below `cluster.NAME'. Strategies without a lock or a registry answer `ignore'.
-module(ekka_cluster_strategy).
-export([module/1, children/2, short_name/0]).

-callback discover(Options :: map()) -> {ok, [node()]} | {error, term()}.
-callback lock(Options :: map()) -> ok | ignore | {error, term()}.
-callback unlock(Options :: map()) -> ok | ignore | {error, term()}.
-callback register(Options :: map()) -> ok | ignore | {error, term()}.

%% -> the module of a strategy; none for what discovers nothing
module(manual) -> none;
module(singleton) -> none;
module(static) -> ekka_cluster_static;
module(dns) -> ekka_cluster_dns;
module(etcd) -> ekka_cluster_etcd;
module(k8s) -> ekka_cluster_k8s.

%% What runs as long as the node does; where it cannot start, the node does not boot.
children(etcd, Options) ->
    [#{id => ekka_cluster_etcd, start => {ekka_cluster_etcd, start_link, [Options]}, restart => temporary}];
children(_, _) ->
    [].

%% Names are formed with the part before the @ of this very node.
short_name() -> hd(string:split(atom_to_list(node()), "@")).
