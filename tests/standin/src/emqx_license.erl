%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The licence of 5.9 and newer. Without one that counts, a node belongs to no cluster. A key has the
%% vendor's form; signed, in place of the vendor's private key, with a MAC whose key stands below.
%% Seen on a real 5.10.3: with a made-up key the node stays down. Inferred: that the signature is the
%% reason, and what is logged (the terms from the parser's source, v220101).
-module(emqx_license).
-include_lib("kernel/include/logger.hrl").
-export([check/0, watch/0, refresh/0, is_single_node/0, dump/0]).

-define(COMMUNITY, <<"2">>).
-define(SIGNED_WITH, <<"stand-in">>).

%% Read the licence and tell whether this node may run with it.
check() ->
    case {emqx_release:edition(), parse(key())} of
        {ce, _} ->
            ok;
        {ee, {ok, License}} ->
            persistent_term:put(?MODULE, License),
            case is_single_node() andalso length(mria:running_nodes()) > 1 of
                true -> {error, "SINGLE_NODE_LICENSE, make sure this node and peer nodes are configured with a valid license"};
                false -> ok
            end;
        {ee, {error, Reason}} ->
            {error, Reason}
    end.

%% file:// is read again every now and then.
watch() ->
    {ok, _} = timer:apply_interval(emqx_standin:milliseconds("EMQX_STANDIN_LICENSE_SECONDS"), ?MODULE, refresh, []),
    ok.

refresh() ->
    case {key(), parse(key())} of
        {<<"file://", _/binary>>, {ok, License}} -> persistent_term:put(?MODULE, License);
        {<<"file://", _/binary>>, {error, Reason}} -> ?LOG_ERROR("emqx_license_refresh_failed ~0p", [Reason]);
        _ -> ok
    end.

%% Until it is read, the node counts as one with the community's.
is_single_node() -> emqx_release:edition() =:= ee andalso type() =:= ?COMMUNITY.

type() ->
    case persistent_term:get(?MODULE, undefined) of
        #{type := Type} -> Type;
        undefined -> ?COMMUNITY
    end.

key() -> unicode:characters_to_binary(emqx_conf:get([license, key], "default")).

parse(<<"default">>) ->
    parse_payload(<<"220111\n2\n11\nCommunity\ncontact@emqx.io\ndefault\n20250101\n36500\n10000000">>);
parse(<<"evaluation">>) ->
    parse_payload(<<"220111\n0\n10\nEvaluation\ncontact@emqx.io\nevaluation\n20250101\n36500\n25">>);
parse(<<"file://", Path/binary>>) ->
    case file:read_file(Path) of
        {ok, Content} ->
            case parse(string:trim(Content)) of
                {error, Reason} -> {error, Reason#{license_file => Path}};
                Parsed -> Parsed
            end;
        {error, Reason} ->
            {error, #{license_file => Path, read_error => Reason}}
    end;
parse(Key) ->
    try
        [Payload, Signature] = [base64:decode(Part) || Part <- binary:split(Key, <<".">>)],
        case crypto:mac(hmac, sha256, ?SIGNED_WITH, Payload) of
            Signature -> parse_payload(Payload);
            _ -> refused(invalid_signature)
        end
    catch
        _:_ -> refused(bad_license_format)
    end.

refused(Reason) ->
    {error, #{parse_results => [#{error => Reason, module => emqx_license_parser_v20220101}]}}.

parse_payload(Payload) ->
    case binary:split(string:trim(Payload), <<"\n">>, [global]) of
        [<<"220111">>, Type, CustomerType, Customer, Email, Deployment, Start, Days, Sessions] ->
            {ok, #{type => Type, customer_type => binary_to_integer(CustomerType), customer => Customer,
                   email => Email, deployment => Deployment, start => date(Start),
                   days => binary_to_integer(Days), max_sessions => binary_to_integer(Sessions)}};
        _ ->
            refused(unexpected_number_of_fields)
    end.

date(<<Y:4/binary, M:2/binary, D:2/binary>>) -> {binary_to_integer(Y), binary_to_integer(M), binary_to_integer(D)}.

dump() ->
    #{type := Type, start := Start, days := Days} = License = persistent_term:get(?MODULE),
    End = calendar:gregorian_days_to_date(calendar:date_to_gregorian_days(Start) + Days),
    {Today, _} = calendar:universal_time(),
    [{K, maps:get(K, License)} || K <- [customer, email, deployment, max_sessions]] ++
        [{start_at, shown(Start)}, {expiry_at, shown(End)}, {type, type_name(Type)},
         {customer_type, maps:get(customer_type, License)}, {expiry, Today > End}].

shown({Y, M, D}) -> iolist_to_binary(io_lib:format("~4..0w-~2..0w-~2..0w", [Y, M, D])).

type_name(<<"0">>) -> <<"trial">>;
type_name(<<"1">>) -> <<"official">>;
type_name(?COMMUNITY) -> <<"community">>.
