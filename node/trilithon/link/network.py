"""`GrpcNetwork`: `trilithon.core.world.Network` over grpc.aio."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from trilithon.core.errors import Unavailable
from trilithon.core.world import Item, StreamHandler, StreamSpec, UnaryHandler
from trilithon.link.client import GrpcLink, open_channel
from trilithon.link.options import LinkOptions
from trilithon.link.server import GrpcServer, unary_types
from trilithon.link.tls import LinkTls


class GrpcNetwork:
    """One per process. `source` jitters reconnects; without `tls` everything is plain text."""

    def __init__(
        self,
        *,
        options: LinkOptions | None = None,
        tls: LinkTls | None = None,
        source: random.Random | None = None,
    ) -> None:
        self._options = options or LinkOptions()
        self._tls = tls
        self._random = source or random.Random()

    def link(
        self,
        spec: StreamSpec,
        address: str,
        *,
        pushed: Callable[[Sequence[Item]], None] | None = None,
        came_up: Callable[[], None] | None = None,
        went_down: Callable[[], None] | None = None,
    ) -> GrpcLink:
        return GrpcLink(
            spec,
            address,
            options=self._options,
            tls=self._tls,
            source=self._random,
            pushed=pushed,
            came_up=came_up,
            went_down=went_down,
        )

    async def serve(
        self,
        address: str,
        streams: Mapping[StreamSpec, StreamHandler],
        unary: Mapping[str, UnaryHandler],
    ) -> GrpcServer:
        """Raises OSError when the address cannot be bound."""
        server = GrpcServer(self._options, self._tls)
        await server.start(address, streams, unary)
        return server

    async def call(self, address: str, method: str, request: Any, *, timeout: float) -> Any:
        """One unary call on a connection of its own."""
        _, reply_type = unary_types(method)
        channel = open_channel(address, self._options, self._tls)
        try:
            data: bytes = await channel.unary_unary(method)(
                request.SerializeToString(), timeout=timeout
            )
            return reply_type.FromString(data)
        except grpc.aio.AioRpcError as error:
            text = f"{method} at {address}: {error.code().name}: {error.details()}"
            raise Unavailable(text) from None
        except DecodeError:
            raise Unavailable(f"{method} at {address}: the reply is no message") from None
        finally:
            await channel.close()
