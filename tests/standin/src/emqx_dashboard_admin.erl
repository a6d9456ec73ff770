%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(emqx_dashboard_admin).
-export([ensure_default/0, add/3, remove/1, passwd/2, check/2, login/2, check_token/1]).

-define(TOKEN_TTL, 3600).

%% The default password counts only while the user does not exist.
ensure_default() ->
    #{default_username := User, default_password := Password} = emqx_conf:get([dashboard]),
    case mnesia:dirty_read(emqx_admin, list_to_binary(User)) of
        [] -> {ok, _} = add(list_to_binary(User), list_to_binary(Password), <<"">>);
        _ -> ok
    end,
    ok.

add(User, Password, Description) ->
    case valid(User, Password) of
        ok ->
            {atomic, Result} = mria:transaction(fun() ->
                case mnesia:read(emqx_admin, User) of
                    [] -> mnesia:write({emqx_admin, User, hash(Password), Description, <<"administrator">>, #{}});
                    _ -> {error, <<"username_already_exists">>}
                end
            end),
            case Result of ok -> {ok, User}; _ -> Result end;
        Error ->
            Error
    end.

valid(User, Password) ->
    DefaultPair = {emqx_conf:get([dashboard, default_username]), emqx_conf:get([dashboard, default_password])},
    case {binary_to_list(User), binary_to_list(Password)} of
        DefaultPair -> ok;
        {_, P} when length(P) < 8; length(P) > 64 ->
            {error, <<"The range of password length is 8~64">>};
        {_, P} ->
            Kinds = [K || K <- ["[0-9]", "[A-Za-z]", "[^0-9A-Za-z]"], re:run(P, K) =/= nomatch],
            case length(Kinds) >= 2 of
                true -> ok;
                false -> {error, <<"The password must contain at least two different kind of characters from groups of letters, numbers, and special characters.">>}
            end
    end.

remove(User) ->
    case mnesia:dirty_read(emqx_admin, User) of
        [] -> {error, <<"username_not_found">>};
        _ -> mria:dirty_delete(emqx_admin, User)
    end.

passwd(User, Password) ->
    case {mnesia:dirty_read(emqx_admin, User), valid(User, Password)} of
        {[], _} -> {error, <<"username_not_found">>};
        {[Record], ok} -> mria:dirty_write(setelement(3, Record, hash(Password)));
        {_, Error} -> Error
    end.

check(User, Password) ->
    case mnesia:dirty_read(emqx_admin, User) of
        [{emqx_admin, User, <<Salt:4/binary, Hash/binary>>, _, _, _} = Record] ->
            case crypto:hash(sha256, [Salt, Password]) =:= Hash of
                true -> {ok, Record};
                false -> {error, <<"password_error">>}
            end;
        [] ->
            {error, <<"username_not_found">>}
    end.

hash(Password) ->
    Salt = crypto:strong_rand_bytes(4),
    <<Salt/binary, (crypto:hash(sha256, [Salt, Password]))/binary>>.

login(User, Password) ->
    case check(User, Password) of
        {ok, _Record} ->
            Token = base64:encode(crypto:strong_rand_bytes(48)),
            Expiry = os:system_time(second) + ?TOKEN_TTL,
            ok = mria:dirty_write({emqx_admin_jwt, Token, User, Expiry, #{}}),
            {ok, Token};
        {error, _Reason} ->
            error
    end.

check_token(Token) ->
    Now = os:system_time(second),
    case mnesia:dirty_read(emqx_admin_jwt, Token) of
        [{emqx_admin_jwt, Token, _User, Expiry, _}] -> Expiry > Now;
        [] -> false
    end.
