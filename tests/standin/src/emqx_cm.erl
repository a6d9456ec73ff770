%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(emqx_cm).
-export([get_connected_client_count/0]).

get_connected_client_count() -> emqx_connection:count().
