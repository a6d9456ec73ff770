%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The HTTP listener: /status without credentials, /api/v5 with an API key or a login token.
-module(emqx_dashboard).
-export([serve/1]).

-define(MAX_BODY, 1048576).

serve(Socket) ->
    ok = emqx_listener:setopts(Socket, [{packet, http_bin}]),
    case emqx_listener:recv(Socket, 0) of
        {ok, {http_request, Method, {abs_path, Target}, _}} ->
            case headers(Socket, #{}) of
                {ok, Headers} ->
                    Response = answer(Method, Target, Headers, read_body(Socket, Headers)),
                    ok = emqx_listener:setopts(Socket, [{packet, raw}]),
                    reply(Socket, Method, Response),
                    again(Socket, Headers);
                {error, _} ->
                    emqx_listener:close(Socket)
            end;
        _ ->
            emqx_listener:close(Socket)
    end.

again(Socket, #{<<"connection">> := <<"close">>}) -> emqx_listener:close(Socket);
again(Socket, _) -> serve(Socket).

headers(Socket, Acc) ->
    case emqx_listener:recv(Socket, 0) of
        {ok, {http_header, _, Name, _, Value}} -> headers(Socket, Acc#{string:lowercase(name(Name)) => Value});
        {ok, http_eoh} -> {ok, Acc};
        Other -> {error, Other}
    end.

name(Name) when is_atom(Name) -> atom_to_binary(Name);
name(Name) -> Name.

read_body(Socket, #{<<"content-length">> := Length}) when Length =/= <<"0">> ->
    ok = emqx_listener:setopts(Socket, [{packet, raw}]),
    Size = binary_to_integer(Length),
    true = Size =< ?MAX_BODY,
    {ok, Body} = emqx_listener:recv(Socket, Size),
    Body;
read_body(_Socket, _) ->
    <<>>.

reply(Socket, Method, {Code, Type, Body}) ->
    Extra = case Code of 503 -> "retry-after: 15\r\n"; _ -> "" end,
    emqx_listener:send(Socket, [
        io_lib:format("HTTP/1.1 ~b ~s\r\n", [Code, reason(Code)]), Extra,
        case Type of none -> ""; _ -> ["content-type: ", Type, "\r\n"] end,
        case Code of 204 -> ""; _ -> io_lib:format("content-length: ~b\r\n", [iolist_size(Body)]) end,
        "server: Cowboy\r\n\r\n", case Method of 'HEAD' -> ""; _ -> Body end
    ]).

reason(200) -> "OK";
reason(204) -> "No Content";
reason(400) -> "Bad Request";
reason(401) -> "Unauthorized";
reason(404) -> "Not Found";
reason(405) -> "Method Not Allowed";
reason(503) -> "Service Unavailable".

%%-- routes --------------------------------------------------------------------------
answer(Method, Target, Headers, Body) ->
    #{path := Path} = Uri = uri_string:parse(Target),
    Query = uri_string:dissect_query(maps:get(query, Uri, <<>>)),
    case {Method, [uri_string:percent_decode(P) || P <- binary:split(Path, <<"/">>, [global]), P =/= <<>>]} of
        {_, [<<"status">>]} -> status(Query);
        {_, [<<"api">>, <<"v5">>, <<"status">>]} -> status(Query);
        {'POST', [<<"api">>, <<"v5">>, <<"login">>]} -> login(Body);
        {'GET', [<<"api">>, <<"v5">>, <<"load_rebalance">>, <<"availability_check">>]} -> available();
        {_, [<<"api">>, <<"v5">> | Rest]} ->
            case known(Rest) of
                false -> not_found();
                true -> authorized(Headers, Rest, fun() -> api(Method, Rest, Body) end)
            end;
        _ -> not_found()
    end.

known([<<"nodes">>]) -> true;
known([<<"nodes">>, _]) -> true;
known([<<"cluster">>]) -> true;
known([<<"cluster">>, <<"topology">>]) -> true;
known([<<"cluster">>, _, <<"invite">>]) -> true;
known([<<"cluster">>, _, <<"force_leave">>]) -> true;
known([<<"alarms">>]) -> true;
known([<<"api_key">> | _]) -> true;
known(_) -> false.

authorized(Headers, Path, Fun) ->
    case maps:get(<<"authorization">>, Headers, <<>>) of
        <<"Basic ", _/binary>> when hd(Path) =:= <<"api_key">> ->
            error_(401, 'API_KEY_NOT_ALLOW', "Please use bearer Token instead, using API key/secret in /api_key "
                                             "path is not permitted");
        <<"Basic ", Base64/binary>> ->
            [Key | Secret] = binary:split(base64:decode(Base64), <<":">>),
            case emqx_mgmt_auth:authorize(Key, iolist_to_binary(Secret)) of
                true -> Fun();
                false -> error_(401, 'BAD_API_KEY_OR_SECRET', "Check api_key/api_secret")
            end;
        <<"Bearer ", Token/binary>> ->
            case emqx_dashboard_admin:check_token(Token) of
                true -> Fun();
                false -> error_(401, 'BAD_TOKEN', "Get a token by POST /login")
            end;
        _ ->
            error_(401, 'AUTHORIZATION_HEADER_ERROR', "Support authorization: basic/bearer ")
    end.

api('GET', [<<"nodes">>], _) ->
    json(emqx_mgmt:list_nodes());
api('GET', [<<"nodes">>, Name], _) ->
    case [N || N = #{node := Node} <- emqx_mgmt:list_nodes(), atom_to_binary(Node) =:= Name] of
        [Node] -> json(Node);
        [] -> error_(404, 'NOT_FOUND', ["Node not found: ", Name])
    end;
api('GET', [<<"cluster">>], _) ->
    json(#{name => emqx_conf:get([cluster, name]), nodes => mria:running_nodes(), self => node()});
api('GET', [<<"cluster">>, <<"topology">>], _) ->
    Cores = mria:cluster_nodes(cores),
    json([#{core_node => N, replicant_nodes => [#{node => R, streams => length(mria_schema:shards())}
                                                || R <- rpc:call(N, mria_status, replicants, [])]}
          || N <- lists:reverse(mria:running_nodes()), lists:member(N, Cores)]);
api('PUT', [<<"cluster">>, Name, <<"invite">>], _) ->
    Node = binary_to_atom(Name),
    case Node =:= node() orelse rpc:call(Node, ekka, join, [node()]) of
        true -> error_(400, 'BAD_REQUEST', "Cannot invite self");
        ok -> {200, none, <<>>};
        ignore -> error_(400, 'BAD_REQUEST', "Cannot invite self");
        {badrpc, Reason} -> error_(400, 'BAD_REQUEST', io_lib:format("~0p", [Reason]));
        {error, Reason} -> error_(400, 'BAD_REQUEST', io_lib:format("~0p", [Reason]))
    end;
api('DELETE', [<<"cluster">>, Name, <<"force_leave">>], _) ->
    case ekka:force_leave(binary_to_atom(Name)) of
        ok -> {204, none, <<>>};
        ignore -> error_(400, 'BAD_REQUEST', "Can't leave self");
        {error, Reason} -> error_(400, 'BAD_REQUEST', io_lib:format("~0p", [Reason]))
    end;
api('GET', [<<"alarms">>], _) ->
    Alarms = lists:append([A || N <- mria:running_nodes(), A <- [rpc:call(N, emqx_alarm, get_alarms, [])], is_list(A)]),
    json(#{data => Alarms, meta => #{page => 1, limit => 100, count => length(Alarms), hasnext => false}});
api('GET', [<<"api_key">>], _) ->
    json(emqx_mgmt_auth:list());
api('POST', [<<"api_key">>], Body) ->
    case emqx_utils_json:decode(Body) of
        {ok, #{<<"name">> := Name}} ->
            case emqx_mgmt_auth:create(Name) of
                {ok, App} -> json(App);
                {error, Reason} -> error_(400, 'BAD_REQUEST', io_lib:format("~0p", [Reason]))
            end;
        _ ->
            error_(400, 'BAD_REQUEST', "Invalid json message received")
    end;
api('DELETE', [<<"api_key">>, Name], _) ->
    case emqx_mgmt_auth:delete(Name) of
        true -> {204, none, <<>>};
        false -> error_(404, 'NOT_FOUND', "Name NOT FOUND")
    end;
api(_, _, _) ->
    {405, none, <<>>}.

status(Query) ->
    Running = emqx:is_running(),
    {State, _} = init:get_status(),
    Code = case Running of true -> 200; false -> 503 end,
    App = case Running of true -> running; false -> not_running end,
    case proplists:get_value(<<"format">>, Query) of
        <<"json">> ->
            {Code, "application/json", emqx_utils_json:encode([
                {rel_vsn, list_to_binary(emqx_release:version_with_prefix())}, {node_name, node()},
                {broker_status, State}, {app_status, App}])};
        _ ->
            {Code, "text/plain", io_lib:format("Node ~s is ~s~nemqx is ~s", [node(), State, App])}
    end.

%% For load balancers, without credentials; only where there is a `rebalance'.
available() ->
    case {emqx_release:edition(), emqx_node_rebalance:is_evacuating()} of
        {ce, _} -> not_found();
        {ee, false} -> {200, none, <<>>};
        {ee, true} -> {503, none, <<>>}
    end.

login(Body) ->
    case emqx_utils_json:decode(Body) of
        {ok, #{<<"username">> := User, <<"password">> := Password}} ->
            case emqx_dashboard_admin:login(User, Password) of
                {ok, Token} ->
                    json(#{license => #{edition => emqx_release:edition()}, token => Token,
                           version => list_to_binary(emqx_release:version())});
                error ->
                    error_(401, 'BAD_USERNAME_OR_PWD', "Auth failed")
            end;
        _ ->
            error_(400, 'BAD_REQUEST', "Invalid json message received")
    end.

json(Term) -> {200, "application/json", emqx_utils_json:encode(Term)}.

error_(Http, Code, Message) ->
    {Http, "application/json", emqx_utils_json:encode(#{code => Code, message => iolist_to_binary(Message)})}.

not_found() ->
    {404, "text/html", "<html><head><title>404 - NOT FOUND</title></head>"
                       "<body><h1>404 - NOT FOUND</h1></body></html>"}.
