%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(mria_rlog).
-export([role/0, role/1]).

role() -> emqx_conf:get([node, role]).
role(Node) -> rpc:call(Node, ?MODULE, role, []).
