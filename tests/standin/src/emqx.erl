%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(emqx).
-export([is_running/0, is_running/1, data_dir/0]).

%% true between the end of the boot (or of a join) and the next stop of the applications
is_running() -> emqx_machine:running_since() =/= undefined.
is_running(Node) -> rpc:call(Node, ?MODULE, is_running, []) =:= true.

data_dir() ->
    {ok, Dir} = application:get_env(emqx, data_dir),
    Dir.
