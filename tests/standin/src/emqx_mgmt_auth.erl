%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% API keys, and the bootstrap file that makes them: one KEY:SECRET[:ROLE] per line.
-module(emqx_mgmt_auth).
-include_lib("kernel/include/logger.hrl").
-export([init/0, authorize/2, create/1, delete/1, list/0]).

init() ->
    case emqx_conf:get([api_key, bootstrap_file], "") of
        "" -> ok;
        File -> load(File)
    end.

load(File) ->
    case file:read_file(File) of
        {ok, Text} ->
            add_lines(binary:split(Text, <<"\n">>, [global]), File, 1);
        {error, Reason} ->
            ?LOG_ERROR("failed_to_open_the_bootstrap_file ~s: ~p", [File, Reason])
    end,
    ok.

%% the load ends at the first bad line, the boot goes on
add_lines([], _File, _N) ->
    ok;
add_lines([Line | Lines], File, N) ->
    case binary:split(string:trim(Line), <<":">>, [global]) of
        [<<>>] ->
            add_lines(Lines, File, N + 1);
        [Key, Secret | Role] when Key =/= <<>>, Secret =/= <<>>, Role =:= []; Role =:= [<<"administrator">>] ->
            add(Key, Secret),
            add_lines(Lines, File, N + 1);
        _ ->
            ?LOG_ERROR("failed_to_load_bootstrap_file ~s: invalid line ~b", [File, N])
    end.

add(Key, Secret) ->
    Id = binary:encode_hex(binary:part(crypto:hash(sha256, Key), 0, 8)),
    store(<<"from_bootstrap_file_", Id/binary>>, Key, Secret, <<"Bootstrapped From File">>).

%% -> {ok, Description with the secret, which is shown this once} | {error, Reason}
create(Name) ->
    case mnesia:dirty_read(emqx_app, Name) of
        [] ->
            [Key, Secret] = [binary:encode_hex(crypto:strong_rand_bytes(N)) || N <- [8, 24]],
            store(Name, Key, Secret, <<>>),
            [App] = mnesia:dirty_read(emqx_app, Name),
            {ok, (shown(App))#{api_secret => Secret}};
        _ ->
            {error, name_already_existed}
    end.

delete(Name) -> mnesia:dirty_read(emqx_app, Name) =/= [] andalso mria:dirty_delete(emqx_app, Name) =:= ok.

list() -> [shown(App) || App <- ets:tab2list(emqx_app)].

shown({emqx_app, Name, Key, _Hash, Enable, Description, _Expires, Created, #{role := Role}}) ->
    #{name => Name, api_key => Key, enable => Enable, desc => Description, expired_at => infinity, expired => false,
      created_at => list_to_binary(calendar:system_time_to_rfc3339(Created, [{offset, "+00:00"}])), role => Role}.

store(Name, Key, Secret, Description) ->
    Salt = crypto:strong_rand_bytes(4),
    Hash = <<Salt/binary, (crypto:hash(sha256, [Salt, Secret]))/binary>>,
    ok = mria:dirty_write({emqx_app, Name, Key, Hash, true, Description, infinity,
                             os:system_time(second), #{role => <<"administrator">>}}).

authorize(Key, Secret) ->
    case mnesia:dirty_match_object({emqx_app, '_', Key, '_', true, '_', '_', '_', '_'}) of
        [{emqx_app, _, Key, <<Salt:4/binary, Hash/binary>>, true, _, _, _, _}] ->
            crypto:hash(sha256, [Salt, Secret]) =:= Hash;
        [] ->
            false
    end.
