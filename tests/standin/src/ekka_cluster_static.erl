%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(ekka_cluster_static).
-behaviour(ekka_cluster_strategy).
-export([discover/1, lock/1, unlock/1, register/1]).

discover(#{seeds := Seeds}) -> {ok, Seeds}.

lock(_) -> ignore.
unlock(_) -> ignore.
register(_) -> ignore.
