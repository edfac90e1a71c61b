"""Bounds of links, and the gRPC channel arguments that follow from them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

# Framing around the largest item.
_MESSAGE_SLACK_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """Bounds; one set for all links of a process.

    Streams are kept alive by empty messages, one each `keepalive_ms` from the client, answered by the
    server. A dead peer (stopped process, cut cable) is noticed once nothing at all has come for
    `silent_ticks_max` such periods. gRPC's own keepalive pings were found not to end a stream whose
    peer is stopped (grpcio 1.78.2), and they would not notice an event loop that hangs.
    """

    # The largest single item; limits.message_bytes of the cluster's configuration.
    item_bytes_max: int = 16 * 1024 * 1024
    queue_items_max: int = 65_536
    queue_bytes_max: int = 64 * 1024 * 1024
    # Requests waiting for their reply, per link.
    waiting_max: int = 65_536
    connect_timeout_s: float = 3.0
    backoff_min_s: float = 0.05
    backoff_max_s: float = 1.0
    keepalive_ms: int = 1_000
    # Periods, not time: a process that was itself stopped does not blame its peers.
    silent_ticks_max: int = 4

    def _common(self) -> list[tuple[str, int]]:
        return [
            ("grpc.max_receive_message_length", self.item_bytes_max + _MESSAGE_SLACK_BYTES),
            ("grpc.max_send_message_length", -1),
        ]

    def channel(self, server_name: str = "") -> list[tuple[str, int | str]]:
        """For a client. Every channel has a connection of its own: links do not share fate, and
        reconnecting is ours to time."""
        arguments: list[tuple[str, int | str]] = [
            *self._common(),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0),
            ("grpc.service_config_disable_resolution", 1),
        ]
        if server_name:
            arguments.append(("grpc.ssl_target_name_override", server_name))
        return arguments

    def server(self) -> list[tuple[str, int]]:
        """For a server. A port that is taken is an error, not shared with its owner."""
        return [
            *self._common(),
            ("grpc.so_reuseport", 0),
            # Clients of other languages may ping as often as they like.
            ("grpc.http2.max_ping_strikes", 0),
        ]


class Backoff:
    """Jittered exponential backoff: between half of the current step and the whole of it."""

    __slots__ = ("_max", "_min", "_random", "_step")

    def __init__(self, options: LinkOptions, source: random.Random) -> None:
        self._min = options.backoff_min_s
        self._max = options.backoff_max_s
        self._random = source
        self._step = self._min

    def next_s(self) -> float:
        step = self._step
        self._step = min(self._max, step * 2)
        return step * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._step = self._min
