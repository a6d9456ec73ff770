%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% HOCON as EMQX's files use it: comments, objects, dotted and quoted keys, arrays,
%% strings, numbers. No include, no += and no ${substitution}: these are parse errors.
-module(hocon).
-export([parse_file/1, parse/1, merge/2, get/2, put/3, env_overrides/1, pp/1]).

%% Values: #{binary() => value()}, [value()], binary(), number(), boolean() or null.
%% Errors carry the line of the offending token, or of the last one at the end of input.

parse_file(File) ->
    case file:read_file(File) of
        {ok, Bin} ->
            case parse(Bin) of
                {ok, Conf} ->
                    {ok, Conf};
                {error, {Line, Reason}} ->
                    {error, {parse_error, #{file => File, line => Line, reason => Reason}}}
            end;
        {error, Reason} ->
            {error, {Reason, File}}
    end.

parse(Bin) ->
    try
        Tokens = tokens(Bin, 1, []),
        case skip_nl(Tokens) of
            [{'{', _} | _] = T ->
                {Conf, Rest} = value(T),
                [{eof, _} | _] = expect(eof, skip_nl(Rest)),
                {ok, Conf};
            T ->
                {Conf, _} = members(T, eof, #{}),
                {ok, Conf}
        end
    catch
        throw:{syntax, Line, Text} ->
            {error, {Line, lists:flatten(["syntax error before: ", Text])}};
        throw:{scan, Line, Text} ->
            {error, {Line, lists:flatten(["illegal characters ", Text])}}
    end.

%%-- scanner ------------------------------------------------------------------
-define(PUNCT(C), C =:= ${; C =:= $}; C =:= $[; C =:= $]; C =:= $,; C =:= $:; C =:= $=).

tokens(<<>>, L, Acc) ->
    EofLine =
        case [Line || {T, Line} <- Acc, T =/= nl] ++ [Line || {_, Line, _} <- Acc] of
            [] -> L;
            Lines -> lists:max(Lines)
        end,
    lists:reverse([{eof, EofLine} | Acc]);
tokens(<<C, R/binary>>, L, Acc) when C =:= $\s; C =:= $\t; C =:= $\r -> tokens(R, L, Acc);
tokens(<<"\n", R/binary>>, L, Acc) -> tokens(R, L + 1, [{nl, L} | Acc]);
tokens(<<"#", R/binary>>, L, Acc) -> tokens(skip_line(R), L, Acc);
tokens(<<"//", R/binary>>, L, Acc) -> tokens(skip_line(R), L, Acc);
tokens(<<"\"\"\"", R/binary>>, L, Acc) ->
    case binary:split(R, <<"\"\"\"">>) of
        [S, Rest] ->
            {Text, Rest1} = more_quotes(S, Rest),
            tokens(Rest1, L + newlines(S), [{str, L, Text} | Acc]);
        [_] -> throw({scan, L, "\"\"\""})
    end;
tokens(<<"\"", R/binary>>, L, Acc) ->
    {S, Rest} = quoted(R, L, <<>>),
    tokens(Rest, L, [{str, L, S} | Acc]);
tokens(<<C, R/binary>>, L, Acc) when ?PUNCT(C) ->
    tokens(R, L, [{binary_to_atom(<<C>>), L} | Acc]);
tokens(Bin, L, Acc) ->
    case re:run(Bin, "^[A-Za-z0-9_.+/@%*<>!?|;()~^&-]+", [{capture, first, binary}]) of
        {match, [W]} ->
            <<_:(byte_size(W))/binary, Rest/binary>> = Bin,
            tokens(Rest, L, [{word, L, W} | Acc]);
        nomatch ->
            <<C/utf8, _/binary>> = Bin,
            throw({scan, L, io_lib:format("~tp", [[C]])})
    end.

skip_line(Bin) ->
    case binary:match(Bin, <<"\n">>) of
        {Pos, _} -> binary:part(Bin, Pos, byte_size(Bin) - Pos);
        nomatch -> <<>>
    end.

%% the last three of a run of quotes end the string
more_quotes(S, <<"\"", R/binary>>) -> more_quotes(<<S/binary, "\"">>, R);
more_quotes(S, R) -> {S, R}.

newlines(Bin) -> length(binary:matches(Bin, <<"\n">>)).

quoted(<<"\"", R/binary>>, _L, Acc) -> {Acc, R};
quoted(<<"\\u", H:4/binary, R/binary>>, L, Acc) ->
    quoted(R, L, <<Acc/binary, (binary_to_integer(H, 16))/utf8>>);
quoted(<<"\\", C, R/binary>>, L, Acc) ->
    Plain = [{$n, $\n}, {$t, $\t}, {$r, $\r}, {$b, $\b}, {$f, $\f}, {$", $"}, {$\\, $\\}, {$/, $/}],
    case lists:keyfind(C, 1, Plain) of
        {C, P} -> quoted(R, L, <<Acc/binary, P>>);
        false -> throw({scan, L, io_lib:format("~tp", [[$\\, C]])})
    end;
quoted(<<C, _/binary>>, L, _Acc) when C =:= $\n -> throw({scan, L, "\"\\n\""});
quoted(<<C, R/binary>>, L, Acc) -> quoted(R, L, <<Acc/binary, C>>);
quoted(<<>>, L, _Acc) -> throw({scan, L, "\"\\\"\""}).

%%-- parser -------------------------------------------------------------------
skip_nl([{nl, _} | T]) -> skip_nl(T);
skip_nl(T) -> T.

skip_sep([{nl, _} | T]) -> skip_sep(T);
skip_sep([{',', _} | T]) -> skip_nl(T);
skip_sep(T) -> T.

expect(Type, [{Type, _} | _] = T) -> T;
expect(_Type, [Tok | _]) -> unexpected(Tok).

-spec unexpected(tuple()) -> no_return().
unexpected({eof, L}) -> throw({syntax, L, ""});
unexpected({Punct, L}) -> throw({syntax, L, io_lib:format("'~s'", [Punct])});
unexpected({_, L, Text}) -> throw({syntax, L, io_lib:format("~ts", [Text])}).

members([{End, _} | T], End, Acc) ->
    {Acc, T};
members([{eof, _} = Tok | _], _End, _Acc) ->
    unexpected(Tok);
members([{Kind, _, _} | _] = Toks, End, Acc) when Kind =:= str; Kind =:= word ->
    {Path, T1} = key(Toks, []),
    {V, T2} =
        case T1 of
            [{'{', _} | _] -> value(T1);
            [{S, _} | T] when S =:= '='; S =:= ':' -> value(skip_nl(T));
            [Tok | _] -> unexpected(Tok)
        end,
    case T2 of
        [{Sep, _} | _] when Sep =:= nl; Sep =:= ','; Sep =:= End; Sep =:= eof ->
            members(skip_sep(T2), End, merge(Acc, nest(Path, V)));
        [Tok2 | _] ->
            unexpected(Tok2)
    end;
members([{nl, _} | T], End, Acc) ->
    members(T, End, Acc);
members([Tok | _], _End, _Acc) ->
    unexpected(Tok).

key([{str, _, S} | T], Acc) -> key_rest(T, Acc ++ [S]);
key([{word, L, W} | T], Acc) ->
    Parts = binary:split(W, <<".">>, [global]),
    case lists:member(<<>>, tl_if_dot(Parts, Acc)) of
        true -> unexpected({word, L, W});
        false -> key_rest(T, Acc ++ tl_if_dot(Parts, Acc))
    end.

%% `"a".b` scans as a string and the word `.b`
tl_if_dot([<<>> | Parts], [_ | _]) -> Parts;
tl_if_dot(Parts, _) -> Parts.

key_rest([{word, _, <<".", _/binary>>} | _] = T, Acc) -> key(T, Acc);
key_rest(T, Acc) -> {Acc, T}.

nest([K], V) -> #{K => V};
nest([K | Ks], V) -> #{K => nest(Ks, V)}.

value([{'{', _} | T]) ->
    {M, T1} = members(skip_nl(T), '}', #{}),
    more(M, T1);
value([{'[', _} | T]) ->
    elements(skip_nl(T), []);
value([{str, _, S} | T]) ->
    words(T, S);
value([{word, _, W} | T]) ->
    case words(T, W) of
        {W, T1} -> {literal(W), T1};
        Joined -> Joined
    end;
value([Tok | _]) ->
    unexpected(Tok).

%% `{..} {..}` on one line is merged
more(M, [{'{', _} | _] = T) ->
    {M2, T1} = value(T),
    {merge(M, M2), T1};
more(M, T) ->
    {M, T}.

words([{Kind, _, W} | T], Acc) when Kind =:= word; Kind =:= str ->
    words(T, <<Acc/binary, " ", W/binary>>);
words(T, Acc) ->
    {Acc, T}.

elements([{']', _} | T], Acc) ->
    {lists:reverse(Acc), T};
elements(T, Acc) ->
    {V, T1} = value(T),
    case T1 of
        [{Sep, _} | _] when Sep =:= nl; Sep =:= ',' -> elements(skip_sep(T1), [V | Acc]);
        [{']', _} | _] -> elements(T1, [V | Acc]);
        [Tok | _] -> unexpected(Tok)
    end.

literal(<<"true">>) -> true;
literal(<<"false">>) -> false;
literal(<<"null">>) -> null;
literal(W) ->
    try
        binary_to_integer(W)
    catch
        error:badarg ->
            try
                binary_to_float(W)
            catch
                error:badarg -> W
            end
    end.

%%-- maps ---------------------------------------------------------------------
merge(A, B) when is_map(A), is_map(B) ->
    maps:fold(fun(K, V, M) -> M#{K => merge(maps:get(K, M, undefined), V)} end, A, B);
merge(_, B) ->
    B.

get([], V) -> {ok, V};
get([K | Ks], M) when is_map_key(K, M) -> get(Ks, maps:get(K, M));
get(_, _) -> error.

put(Path, V, Conf) -> merge(Conf, nest(Path, V)).

%% EMQX_A__B=v becomes a.b = v when `a' is one of the given roots; the value is HOCON,
%% or a plain string where it is not.
env_overrides(Roots) ->
    lists:foldl(
        fun({Name, Text}, Acc) ->
            case env_path(Name) of
                [Root, _ | _] = Path ->
                    case lists:member(Root, Roots) of
                        true -> merge(Acc, nest(Path, env_value(Text)));
                        false -> Acc
                    end;
                _ ->
                    Acc
            end
        end,
        #{},
        lists:sort(os:env())
    ).

env_path("EMQX_" ++ Rest) ->
    binary:split(list_to_binary(string:lowercase(Rest)), <<"__">>, [global]);
env_path(_) ->
    [].

env_value(Text) ->
    Bin = unicode:characters_to_binary(Text),
    case parse(<<"v = ", Bin/binary>>) of
        {ok, #{<<"v">> := V} = M} when map_size(M) =:= 1 -> V;
        _ -> Bin
    end.

%%-- printer (the layout of `ctl conf show') -----------------------------------
pp(Map) -> [member(0, K, V) || {K, V} <- lists:sort(maps:to_list(Map))].

member(Ind, K, V) when is_map(V), map_size(V) =:= 0 ->
    [indent(Ind), K, " {}\n"];
member(Ind, K, V) when is_map(V) ->
    case lists:sort(maps:to_list(V)) of
        [{K1, V1}] when V1 =:= <<>> ->
            [indent(Ind), K, " {", K1, " = ", scalar(V1), "}\n"];
        Members ->
            Lines = [member(Ind + 2, K1, V1) || {K1, V1} <- Members],
            [indent(Ind), K, " {\n", Lines, indent(Ind), "}\n"]
    end;
member(Ind, K, V) when is_list(V), V =/= [] ->
    Items = lists:join(",\n", [[indent(Ind + 2), scalar(E)] || E <- V]),
    [indent(Ind), K, " = [\n", Items, "\n", indent(Ind), "]\n"];
member(Ind, K, V) ->
    [indent(Ind), K, " = ", scalar(V), "\n"].

indent(N) -> lists:duplicate(N, $\s).

scalar([]) -> "[]";
scalar(V) when is_atom(V); is_number(V) -> io_lib:format("~p", [V]);
scalar(V) when is_map(V) -> ["{", [member(0, K, E) || {K, E} <- maps:to_list(V)], "}"];
scalar(V) ->
    [$", re:replace(V, "[\\\\\"]", "\\\\&", [global]), $"].
