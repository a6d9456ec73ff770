%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% JSON: maps and proplists are objects (maps sorted by key, proplists in their order).
-module(emqx_utils_json).
-export([encode/1, encode_pretty/1, decode/1]).

encode(Term) -> iolist_to_binary(enc(Term)).

enc(V) when is_atom(V), V =:= true orelse V =:= false orelse V =:= null -> atom_to_binary(V);
enc(V) when is_integer(V) -> integer_to_binary(V);
enc(V) when is_float(V) -> io_lib:format("~p", [V]);
enc(V) when is_atom(V); is_binary(V) -> string_(V);
enc(V) when is_map(V) -> object(lists:sort([{text(K), E} || {K, E} <- maps:to_list(V)]));
enc([{}]) -> "{}";
enc([{_, _} | _] = V) -> object([{text(K), E} || {K, E} <- V]);
enc(V) when is_list(V) -> [$[, lists:join($,, [enc(E) || E <- V]), $]].

object(Members) -> [${, lists:join($,, [[string_(K), $:, enc(E)] || {K, E} <- Members]), $}].

text(K) when is_atom(K) -> atom_to_binary(K);
text(K) -> iolist_to_binary(K).

string_(V) -> [$", [escape(C) || <<C/utf8>> <= text(V)], $"].

escape($") -> "\\\"";
escape($\\) -> "\\\\";
escape($\n) -> "\\n";
escape(C) when C < 32 -> io_lib:format("\\u~4.16.0b", [C]);
escape(C) -> <<C/utf8>>.

%% The layout of `--json': two spaces, ` : ', and an empty list over three lines.
encode_pretty(Members) -> unicode:characters_to_binary([pretty(0, Members), $\n]).

pretty(Ind, [{_, _} | _] = Members) ->
    In = Ind + 2,
    Lines = [[indent(In), string_(K), " : ", pretty(In, V)] || {K, V} <- Members],
    ["{\n", lists:join(",\n", Lines), "\n", indent(Ind), "}"];
pretty(Ind, List) when is_list(List) ->
    In = Ind + 2,
    Lines = case List of [] -> [indent(In)]; _ -> [[indent(In), pretty(In, E)] || E <- List] end,
    ["[\n", lists:join(",\n", Lines), "\n", indent(Ind), "]"];
pretty(_Ind, V) ->
    enc(V).

indent(N) -> lists:duplicate(N, $\s).

%% JSON is a subset of what the HOCON reader takes; a bare list or scalar is wrapped.
decode(Bin) ->
    case hocon:parse(<<"json = ", Bin/binary>>) of
        {ok, #{<<"json">> := V}} -> {ok, V};
        {error, Reason} -> {error, Reason}
    end.
