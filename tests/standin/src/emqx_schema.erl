%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The configuration keys of EMQX 5.8 and 5.10 that matter to a cluster: every key of node,
%% cluster, rpc, license and mqtt, and the checked part of listeners, dashboard and api_key.
-module(emqx_schema).
-export([roots/0, shown_roots/0, read_only/1, fields/1]).

-define(ANY, any).
%% {Key, Type, Default, Flags}: Default `none' means no value; `hidden' keeps it out of
%% `conf show'; {alias, K} names the key that holds the value.

%% What `conf show_keys' of 5.8.9 names.
shown_roots() ->
    Shared = [<<"actions">>, <<"alarm">>, <<"api_key">>, <<"authentication">>, <<"authorization">>, <<"auto_subscribe">>,
     <<"banned">>, <<"bridges">>, <<"cluster">>, <<"conn_congestion">>, <<"connectors">>, <<"crl_cache">>, <<"dashboard">>,
     <<"delayed">>, <<"durable_sessions">>, <<"durable_storage">>, <<"exhook">>, <<"flapping_detect">>, <<"force_gc">>,
     <<"force_shutdown">>, <<"gateway">>, <<"limiter">>, <<"listeners">>, <<"log">>, <<"mqtt">>, <<"node">>,
     <<"overload_protection">>, <<"prometheus">>, <<"psk_authentication">>, <<"retainer">>, <<"rewrite">>, <<"rpc">>,
     <<"rule_engine">>, <<"slow_subs">>, <<"sources">>, <<"sys_topics">>, <<"sysmon">>, <<"telemetry">>,
     <<"topic_metrics">>],
    case emqx_release:edition() of
        ce -> Shared;
        ee -> lists:sort([<<"license">> | Shared])
    end.

roots() -> [<<"broker">>, <<"license">>, <<"zones">> | shown_roots() -- [<<"license">>]].

%% No change at run time.
read_only(Root) -> lists:member(Root, [<<"node">>, <<"rpc">>, <<"cluster">>]).

fields(<<"node">>) ->
    [f(name, string, <<"emqx@127.0.0.1">>), f(cookie, string, none), f(data_dir, string, none),
     f(role, {enum, [core, replicant]}, <<"core">>), alias(db_role, role),
     h(db_backend, {enum, [mnesia, rlog]}, <<"rlog">>), h(process_limit, {int, 1024, 134217727}, none),
     f(max_ports, {int, 1024, 134217727}, 1048576), f(dist_buffer_size, {int, 1, 2097151}, 8192),
     f(max_ets_tables, {int, 1, 100000000}, 262144), f(etc_dir, string, none),
     h(config_files, list, none), f(cluster_call, {ref, cluster_call}, none),
     f(global_gc_interval, {'or', disabled, duration}, <<"disabled">>),
     f(crash_dump_file, string, none), f(crash_dump_seconds, duration_s, <<"30s">>),
     f(crash_dump_bytes, bytesize, <<"100MB">>), f(dist_net_ticktime, duration_s, <<"2m">>),
     f(backtrace_depth, {int, 0, 1024}, 23), h(applications, ?ANY, none),
     h(rpc_module, {enum, [gen_rpc, rpc]}, <<"rpc">>),
     h(tlog_push_mode, {enum, [sync, async]}, <<"async">>),
     h(default_shard_transport, {enum, [gen_rpc, distr]}, <<"distr">>),
     h(shard_transports, ?ANY, none), h(default_bootstrap_batch_size, {int, 1, 1000000}, 500),
     h(broker_pool_size, {int, 1, 1024}, none), h(generic_pool_size, {int, 1, 1024}, none),
     h(channel_cleanup_batch_size, {int, 1, 100000000}, 100000)];
fields(cluster_call) ->
    [f(retry_interval, duration, <<"1m">>), f(max_history, {int, 1, 100000}, 1024),
     f(cleanup_interval, duration, <<"24h">>)];
fields(<<"cluster">>) ->
    [f(name, atom, <<"emqxcl">>),
     f(discovery_strategy, {enum, [manual, static, singleton, dns, etcd, k8s]}, <<"manual">>),
     f(autoclean, duration, <<"24h">>), f(autoheal, bool, true),
     f(proto_dist, {enum, [inet_tcp, inet6_tcp, inet_tls, inet6_tls]}, <<"inet_tcp">>),
     f(static, {ref, static}, none), f(dns, {ref, dns}, none), f(etcd, {ref, etcd}, none),
     f(k8s, {ref, k8s}, none), h(prevent_overlapping_partitions, bool, false),
     h(quic_lb_mode, ?ANY, 0)];
fields(static) ->
    [f(seeds, atoms, <<>>)];
fields(dns) ->
    [f(name, string, <<"localhost">>), f(record_type, {enum, [a, aaaa, srv]}, <<"a">>)];
fields(etcd) ->
    [f(server, list, none), f(prefix, string, <<"emqxcl">>), f(node_ttl, duration, <<"1m">>),
     f(ssl_options, ?ANY, none), alias(ssl, ssl_options)];
fields(k8s) ->
    [f(apiserver, string, <<"https://kubernetes.default.svc:443">>),
     f(service_name, string, <<"emqx">>),
     f(address_type, {enum, [ip, dns, hostname]}, <<"ip">>), f(namespace, string, <<"default">>),
     f(suffix, string, <<"pod.local">>)];
fields(<<"rpc">>) ->
    [f(mode, {enum, [sync, async]}, <<"async">>), f(protocol, {enum, [tcp, ssl]}, <<"tcp">>),
     alias(driver, protocol), f(async_batch_size, {int, 0, 1000000}, 256),
     f(port_discovery, {enum, [manual, stateless]}, <<"stateless">>),
     f(server_port, {int, 0, 65535}, 5369), alias(tcp_server_port, server_port),
     alias(ssl_server_port, server_port), f(client_num, {int, 1, 256}, 10),
     alias(tcp_client_num, client_num), f(connect_timeout, duration, <<"5s">>),
     f(certfile, string, none), f(keyfile, string, none), f(cacertfile, string, none),
     f(send_timeout, duration, <<"5s">>), f(authentication_timeout, duration, <<"5s">>),
     f(call_receive_timeout, duration, <<"15s">>), f(socket_keepalive_idle, duration_s, <<"15m">>),
     f(socket_keepalive_interval, duration_s, <<"75s">>),
     f(socket_keepalive_count, {int, 1, 1000}, 9), f(socket_sndbuf, bytesize, <<"1MB">>),
     f(socket_recbuf, bytesize, <<"1MB">>), f(socket_buffer, bytesize, <<"1MB">>),
     f(insecure_fallback, bool, true), f(ciphers, list, []),
     f(tls_versions, list, [<<"tlsv1.3">>, <<"tlsv1.2">>]),
     f(listen_address, ip, <<"0.0.0.0">>), f(ipv6_only, bool, false)];
fields(<<"dashboard">>) ->
    [f(listeners, {ref, dashboard_listeners}, none), f(default_username, string, <<"admin">>),
     f(default_password, string, <<"public">>), rest()];
fields(dashboard_listeners) ->
    [f(http, {ref, {listener, "dashboard:http"}}, none),
     f(https, {ref, {listener, "dashboard:https"}}, none)];
fields(<<"listeners">>) ->
    [f(T, {map, {listener, "emqx:mqtt_" ++ atom_to_list(T) ++ "_listener"}}, none)
     || T <- [tcp, ssl, ws, wss, quic]];
fields({listener, _}) ->
    [f(bind, bind, none), f(enable, bool, none), alias(enabled, enable),
     f(max_connections, {'or', infinity, {int, 1, 1000000000}}, none),
     f(acceptors, {int, 1, 65535}, none), rest()];
fields(<<"mqtt">>) ->
    [f(K, duration, V) || {K, V} <- [{await_rel_timeout, <<"300s">>}, {idle_timeout, <<"15s">>},
                                     {keepalive_check_interval, <<"30s">>}, {session_expiry_interval, <<"2h">>}]] ++
    [f(K, bool, V) || {K, V} <- [
        {exclusive_subscription, false}, {ignore_loop_deliver, false}, {mqueue_store_qos0, true}, {retain_available, true},
        {shared_subscription, true}, {strict_mode, false}, {upgrade_qos, false}, {use_username_as_clientid, false},
        {wildcard_subscription, true}]] ++
    [f(K, {int, 0, 1000000000}, V) || {K, V} <- [
        {max_clientid_len, 65535}, {max_inflight, 32}, {max_qos_allowed, 2}, {max_topic_alias, 65535}, {max_topic_levels, 128}]] ++
    [f(K, {'or', infinity, {int, 0, 1000000000}}, V) || {K, V} <- [
        {max_awaiting_rel, 100}, {max_mqueue_len, 1000}, {max_subscriptions, <<"infinity">>}]] ++
    [f(K, {'or', infinity, duration}, <<"infinity">>) || K <- [message_expiry_interval, retry_interval]] ++
    [f(K, {'or', disabled, ?ANY}, <<"disabled">>) || K <- [
        clientid_override, mqueue_priorities, peer_cert_as_clientid, peer_cert_as_username, server_keepalive]] ++
    [f(max_packet_size, bytesize, <<"1MB">>), f(client_attrs_init, ?ANY, []), f(keepalive_multiplier, ?ANY, 1.5),
     f(mqueue_default_priority, {enum, [highest, lowest]}, <<"lowest">>), f(response_information, string, <<>>),
     f(shared_subscription_initial_sticky_pick, {enum, [random, local, hash_clientid]}, <<"random">>),
     f(shared_subscription_strategy,
       {enum, [random, round_robin, round_robin_per_group, sticky, local, hash_topic, hash_clientid]}, <<"round_robin">>)];
fields(<<"api_key">>) ->
    [f(bootstrap_file, string, <<>>)];
fields(<<"license">>) ->
    case emqx_release:edition() of
        ce -> [rest()];
        ee -> [f(key, string, <<"default">>), f(connection_low_watermark, string, <<"75%">>),
               f(connection_high_watermark, string, <<"80%">>),
               h(dynamic_max_connections, {int, 0, 100000000}, 0)]
    end;
fields(_Root) ->
    [rest()].

f(K, T, D) -> {atom_to_binary(K), T, D, []}.
h(K, T, D) -> {atom_to_binary(K), T, D, [hidden]}.
alias(K, Target) -> {atom_to_binary(K), {alias, atom_to_binary(Target)}, none, [hidden]}.
%% a root of which only a part is checked here
rest() -> {rest, ?ANY, none, [hidden]}.
