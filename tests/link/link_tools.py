"""Handlers and helpers that the link's tests share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

from trilithon.core.world import Peer
from trilithon.v1 import storage_pb2

CANCEL_ME = b"never answered"


def read(key: bytes = b"k", *, size: int = 0) -> storage_pb2.StorageRequest:
    return storage_pb2.StorageRequest(
        point_read=storage_pb2.PointRead(keys=[key], program=b"p" * size)
    )


def failure(text: str) -> storage_pb2.StorageReply:
    reply = storage_pb2.StorageReply()
    reply.failure.message = text
    return reply


class Echo:
    """Answers a point read with its key; keys that start with a word below do more."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.ended: list[Peer] = []
        self.posted: list[Any] = []
        self.messages: list[int] = []
        self.silent_ids: list[int] = []

    def connected(self, peer: Peer) -> None:
        self.peers.append(peer)

    def disconnected(self, peer: Peer) -> None:
        self.peers.remove(peer)
        self.ended.append(peer)

    def received(self, peer: Peer, items: Sequence[Any]) -> None:
        self.messages.append(len(items))
        for item in items:
            if item.correlation_id == 0:
                self.posted.append(item)
                continue
            key = item.point_read.keys[0]
            if key.startswith(b"silent"):
                self.silent_ids.append(item.correlation_id)
            elif key == b"raise":
                raise RuntimeError("a bug in the handler")
            elif key == b"close":
                peer.close()
            elif key.startswith(b"big"):
                self._reply(peer, item, b"x" * int(key[3:]))
            elif key.startswith(b"parts"):
                for number in range(int(key[5:])):
                    self._reply(peer, item, str(number).encode())
            else:
                self._reply(peer, item, key)

    def _reply(self, peer: Peer, item: Any, rows: bytes) -> None:
        reply = storage_pb2.StorageReply(correlation_id=item.correlation_id)
        reply.point_rows.rows = rows
        peer.send(reply)


async def until(condition: Callable[[], object], *, seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
