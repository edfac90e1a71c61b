"""The server's end of streams and unary methods over grpc.aio, with health and reflection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from trilithon.core.errors import Overloaded, SqlError, Unavailable
from trilithon.core.invariant import InvariantViolation
from trilithon.core.world import Item, StreamHandler, StreamSpec, UnaryHandler
from trilithon.link.client import READY_METADATA
from trilithon.link.liveness import Liveness
from trilithon.link.options import LinkOptions
from trilithon.link.tls import LinkTls
from trilithon.link.writer import CoalescingWriter

_log = logging.getLogger("trilithon.link")

STREAMS_MAX: Final = 8_192
# How long an orderly stop waits for queued replies to leave.
FLUSH_SECONDS: Final = 1.0
_FLUSH_STEP_SECONDS: Final = 0.005

_Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcPeer:
    """Implements `trilithon.core.world.Peer`."""

    __slots__ = ("_closed", "_liveness", "_name", "_options", "_spec", "_status", "_writer")

    def __init__(
        self, name: str, spec: StreamSpec, options: LinkOptions, context: _Context
    ) -> None:
        self._name = name
        self._spec = spec
        self._options = options
        self._writer = CoalescingWriter(
            context.write, items_max=options.queue_items_max, bytes_max=options.queue_bytes_max
        )
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._status = (grpc.StatusCode.UNAVAILABLE, "closed by the server")
        self._liveness: Liveness | None = None

    def __repr__(self) -> str:
        return f"<peer {self._name} of {self._spec.name}>"

    @property
    def name(self) -> str:
        return self._name

    @property
    def pending_bytes(self) -> int:
        """Queued and not yet taken by the connection."""
        return self._writer.pending_bytes

    def send(self, item: Item) -> None:
        if self._closed.done():
            return
        data = item.SerializeToString()
        if len(data) > self._options.item_bytes_max:
            _log.warning("%r: a reply of %d bytes exceeds message_bytes", self, len(data))
            data = _too_large(item, len(data), self._options.item_bytes_max).SerializeToString()
        try:
            self._writer.put(data)
        except Overloaded as error:
            _log.warning("%r does not read and is disconnected: %s", self, error)
            self.end(grpc.StatusCode.RESOURCE_EXHAUSTED, f"the peer does not read: {error}")

    def close(self) -> None:
        self.end(grpc.StatusCode.UNAVAILABLE, "closed by the server")

    def end(self, code: grpc.StatusCode, details: str) -> None:
        """Disconnect with this status; the first one counts."""
        if not self._closed.done():
            self._status = (code, details)
            self._closed.set_result(None)
            if self._liveness is not None:
                self._liveness.stop()

    def heard(self, *, ping: bool) -> None:
        """A message came; an empty one is a ping, which is answered."""
        if self._liveness is not None:
            self._liveness.heard()
        elif ping and not self._closed.done():
            self._liveness = Liveness(
                self._options.keepalive_ms / 1000,
                self._options.silent_ticks_max,
                silent=lambda: self.end(grpc.StatusCode.DEADLINE_EXCEEDED, "the peer is silent"),
            )
        if ping:
            self._writer.ping()


def _too_large(item: Item, size: int, bound: int) -> Item:
    """The failure that takes the place of a reply that no message can carry."""
    text = f"the reply of {size} bytes is larger than message_bytes ({bound})"
    answer = type(item)(correlation_id=item.correlation_id)
    fields = item.DESCRIPTOR.fields_by_name
    if "session_id" in fields:
        answer.session_id = item.session_id
    if "error" in fields:
        answer.error.sqlstate = "54000"
        answer.error.severity = "ERROR"
        answer.error.message = text
    elif "failure" in fields:
        # CODE_INTERNAL: asking again would not help.
        answer.failure.code = 5
        answer.failure.message = text
    return answer


class GrpcServer:
    """Implements `trilithon.core.world.Server`. Made by `GrpcNetwork.serve`."""

    def __init__(self, options: LinkOptions, tls: LinkTls | None) -> None:
        self._options = options
        self._tls = tls
        self._server = grpc.aio.server(options=options.server())
        self._peers: set[GrpcPeer] = set()
        self._address = ""
        self._closing = False
        self._health: Any = None

    @property
    def address(self) -> str:
        return self._address

    @property
    def stream_count(self) -> int:
        return len(self._peers)

    async def start(
        self,
        address: str,
        streams: Mapping[StreamSpec, StreamHandler],
        unary: Mapping[str, UnaryHandler],
    ) -> None:
        methods: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        for spec, handler in streams.items():
            service, method = split_path(spec.name)
            methods.setdefault(service, {})[method] = grpc.stream_stream_rpc_method_handler(
                self._stream_method(spec, handler)
            )
        for path, function in unary.items():
            service, method = split_path(path)
            methods.setdefault(service, {})[method] = grpc.unary_unary_rpc_method_handler(
                _unary_method(path, function)
            )
        self._server.add_generic_rpc_handlers(
            tuple(
                grpc.method_handlers_generic_handler(service, handlers)
                for service, handlers in methods.items()
            )
        )
        self._health = await _add_administration(self._server, tuple(methods))
        self._address = self._bind(address)
        await self._server.start()

    def _bind(self, address: str) -> str:
        host, _, _ = address.rpartition(":")
        try:
            if self._tls is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, self._tls.server_credentials())
        except RuntimeError:
            port = 0
        if port == 0:
            raise OSError(f"cannot listen on {address}: it is taken, or not ours")
        return f"{host}:{port}"

    async def close(self, grace_seconds: float) -> None:
        self._closing = True
        if self._health is not None:
            await self._health.enter_graceful_shutdown()
        await self._flush(min(grace_seconds, FLUSH_SECONDS))
        for peer in tuple(self._peers):
            peer.end(grpc.StatusCode.UNAVAILABLE, "the process is stopping")
        await self._server.stop(grace_seconds)

    async def _flush(self, seconds: float) -> None:
        """Let out what is queued already: it may be somebody's acknowledgement."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while loop.time() < deadline and any(  # noqa: ASYNC110 (rare, and short)
            peer.pending_bytes for peer in self._peers
        ):
            await asyncio.sleep(_FLUSH_STEP_SECONDS)

    def _stream_method(
        self, spec: StreamSpec, handler: StreamHandler
    ) -> Callable[[Any, _Context], Awaitable[None]]:
        async def method(_requests: Any, context: _Context) -> None:
            if self._closing or len(self._peers) >= STREAMS_MAX:
                reason = "the process is stopping" if self._closing else "too many streams"
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
            peer = GrpcPeer(context.peer(), spec, self._options, context)
            self._peers.add(peer)
            try:
                await context.send_initial_metadata((READY_METADATA,))
                await _serve_stream(spec, handler, peer, context)
            finally:
                self._peers.discard(peer)
                peer.close()
            code, details = peer._status
            if code is not grpc.StatusCode.OK:
                await context.abort(code, details)

        return method


async def _serve_stream(
    spec: StreamSpec, handler: StreamHandler, peer: GrpcPeer, context: _Context
) -> None:
    """Run one stream until the peer, the connection, the handler or `peer.close` ends it."""
    reader: asyncio.Task[None] | None = None
    writer: asyncio.Task[None] | None = None
    connected = False
    try:
        handler.connected(peer)
        connected = True
        reader = asyncio.create_task(_read(spec, handler, peer, context), name=f"read {peer!r}")
        writer = asyncio.create_task(peer._writer.run(), name=f"write {peer!r}")
        await asyncio.wait({reader, writer, peer._closed}, return_when=asyncio.FIRST_COMPLETED)
    except Exception:
        _log.exception("%r: the handler of new streams failed", peer)
        peer.end(grpc.StatusCode.INTERNAL, "the handler failed")
    except InvariantViolation as error:
        report_invariant(error)
    finally:
        peer.end(grpc.StatusCode.UNAVAILABLE, "the connection broke")
        for task in (reader, writer):
            if task is not None:
                task.cancel()
                task.add_done_callback(_ignore_outcome)
        if connected:
            _disconnect(handler, peer)


async def _read(
    spec: StreamSpec, handler: StreamHandler, peer: GrpcPeer, context: _Context
) -> None:
    parse = spec.requests.FromString
    while True:
        data: Any = await context.read()
        if data is grpc.aio.EOF:
            peer.end(grpc.StatusCode.OK, "")
            return
        peer.heard(ping=not data)
        if not data:
            continue
        try:
            items = parse(data).items
        except DecodeError:
            _log.warning("%r sent something that is no message; disconnected", peer)
            peer.end(grpc.StatusCode.INVALID_ARGUMENT, "not a message of this stream")
            return
        try:
            handler.received(peer, items)
        except Exception:
            _log.exception("%r: the handler of its requests failed; disconnected", peer)
            peer.end(grpc.StatusCode.INTERNAL, "the handler failed")
            return
        except InvariantViolation as error:
            report_invariant(error)
            return


def _disconnect(handler: StreamHandler, peer: GrpcPeer) -> None:
    try:
        handler.disconnected(peer)
    except Exception:
        _log.exception("%r: the handler of ended streams failed", peer)
    except InvariantViolation as error:
        report_invariant(error)


def report_invariant(error: InvariantViolation) -> None:
    """To the loop's exception handler, which stops the process; gRPC would only end the call."""
    asyncio.get_running_loop().call_exception_handler(
        {"message": "an invariant does not hold", "exception": error}
    )


def _ignore_outcome(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()


def _unary_method(
    path: str, function: UnaryHandler
) -> Callable[[bytes, _Context], Awaitable[bytes]]:
    request_type, _ = unary_types(path)

    async def method(data: bytes, context: _Context) -> bytes:
        try:
            request = request_type.FromString(data)
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not a message of this method")
        try:
            reply: Message = await function(request)
            return reply.SerializeToString()
        except Exception as error:
            code = _status_of(error)
            if code is grpc.StatusCode.INTERNAL:
                _log.exception("%s failed", path)
            details = str(error) or repr(error)
        except InvariantViolation as error:
            report_invariant(error)
            code, details = grpc.StatusCode.INTERNAL, "an invariant does not hold"
        await context.abort(code, details)
        raise AssertionError("abort always raises")

    return method


def _status_of(error: Exception) -> grpc.StatusCode:
    match error:
        case Unavailable():
            return grpc.StatusCode.UNAVAILABLE
        case Overloaded():
            return grpc.StatusCode.RESOURCE_EXHAUSTED
        case ValueError():
            return grpc.StatusCode.INVALID_ARGUMENT
        case SqlError():
            return grpc.StatusCode.FAILED_PRECONDITION
        case TimeoutError():
            return grpc.StatusCode.DEADLINE_EXCEEDED
    return grpc.StatusCode.INTERNAL


def split_path(path: str) -> tuple[str, str]:
    """("trilithon.v1.Journal", "Status") of "/trilithon.v1.Journal/Status"."""
    _, service, method = path.split("/")
    return service, method


def unary_types(path: str) -> tuple[type[Message], type[Message]]:
    """Request and reply class of a method, from the descriptors of the imported protos."""
    service, method = split_path(path)
    descriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
    return (
        message_factory.GetMessageClass(descriptor.input_type),
        message_factory.GetMessageClass(descriptor.output_type),
    )


async def _add_administration(server: grpc.aio.Server, services: tuple[str, ...]) -> Any:
    """Health and reflection. Imported here: clients of the SDK do not need these packages."""
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection

    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for service in services:
        await servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
    reflection.enable_server_reflection(
        (*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    return servicer
