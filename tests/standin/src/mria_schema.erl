%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The tables that all nodes share; one shard holds them all.
-module(mria_schema).
-export([shards/0, tables/0]).

shards() -> [emqx_shard].

%% {Table, Attributes}
tables() ->
    [{emqx_admin, [username, pwdhash, description, role, extra]},
     {emqx_admin_jwt, [token, username, exptime, extra]},
     {emqx_app, [name, api_key, api_secret_hash, enable, desc, expired_at, created_at, extra]},
     {emqx_authn_mnesia, [user_id, password_hash, salt, is_superuser]},
     {emqx_authn_scram_mnesia, [user_id, stored_key, server_key, salt, is_superuser]},
     {emqx_acl, [who, rules]}, {emqx_banned_rules, [who, by, reason, at, until]}, {emqx_banned, [who, by, reason, at, until]},
     {emqx_psk, [psk_id, shared_secret, extra]}, {emqx_retainer_message, [topic, msg, expiry_time]},
     {cluster_rpc_commit, [node, tnx_id]}, {cluster_rpc_mfa, [tnx_id, mfa, created_at, initiator]}].
