"""The client's end of a stream over grpc.aio."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.invariant import InvariantViolation
from trilithon.core.world import Item, StreamSpec
from trilithon.link.liveness import Liveness
from trilithon.link.options import Backoff, LinkOptions
from trilithon.link.pending import PendingRequests
from trilithon.link.tls import LinkTls
from trilithon.link.writer import CoalescingWriter

_log = logging.getLogger("trilithon.link")

# A stream that lived this long was a good one: the next attempt starts with the shortest backoff.
_GOOD_STREAM_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 5.0

# A server says by this metadata, sent at once, that the stream is up: grpc.aio gives (empty)
# initial metadata for calls that failed, too.
READY_METADATA: Final = ("trilithon-stream", "ready")

_StreamCall = grpc.aio.StreamStreamCall[bytes, bytes]


class _Broken(Exception):
    """The stream ended; the text says how."""


def open_channel(address: str, options: LinkOptions, tls: LinkTls | None) -> grpc.aio.Channel:
    if tls is None:
        return grpc.aio.insecure_channel(address, options=options.channel())
    arguments = options.channel(tls.server_name)
    return grpc.aio.secure_channel(address, tls.channel_credentials(), options=arguments)


class GrpcLink:
    """Implements `trilithon.core.world.Link`; see there for what callers may rely on."""

    def __init__(
        self,
        spec: StreamSpec,
        address: str,
        *,
        options: LinkOptions,
        tls: LinkTls | None,
        source: random.Random,
        pushed: Callable[[Sequence[Item]], None] | None,
        came_up: Callable[[], None] | None,
        went_down: Callable[[], None] | None,
    ) -> None:
        self._spec = spec
        self._address = address
        self._options = options
        self._tls = tls
        self._pushed = pushed
        self._came_up = came_up
        self._went_down = went_down
        self._target = f"{spec.name} at {address}"
        self._backoff = Backoff(options, source)
        self._pending = PendingRequests(self._target, options.waiting_max)
        # Set while the stream is up.
        self._writer: CoalescingWriter | None = None
        self._liveness: Liveness | None = None
        # Requests made while the link is down, by correlation id; bounded like the writer's queue.
        self._unsent: dict[int, bytes] = {}
        self._unsent_bytes = 0
        self._closed = False
        self._silent = False
        self._last_failure = "not connected yet"
        self._task = asyncio.create_task(self._keep_connected(), name=f"link {self._target}")
        self._task.add_done_callback(report_failure)

    @property
    def up(self) -> bool:
        return self._writer is not None

    @property
    def quiet(self) -> bool:
        return self._liveness is not None and self._liveness.quiet

    @property
    def address(self) -> str:
        return self._address

    @property
    def last_failure(self) -> str:
        """Why the link is, or was last, down. For logs and errors."""
        return self._last_failure

    @property
    def waiting_count(self) -> int:
        """Requests that wait for their reply."""
        return len(self._pending)

    def post(self, item: Item) -> None:
        writer = self._writer
        if writer is None:
            return
        if item.correlation_id:
            item.correlation_id = 0
        writer.put(self._serialise(item))

    async def request(self, item: Item, *, timeout: float) -> Item:
        """See `Link.request`. Sets the item's correlation id. A cancelled request may still be sent."""
        correlation_id, future = self._pending.open(timeout)
        item.correlation_id = correlation_id
        try:
            self._send(correlation_id, item)
            return await future
        except (asyncio.CancelledError, Overloaded):
            self._pending.forget(correlation_id)
            self._forget_unsent(correlation_id)
            raise

    def converse(
        self,
        item: Item,
        *,
        received: Callable[[Item], bool],
        failed: Callable[[Exception], None],
        timeout: float,
    ) -> int:
        """A request with several replies, each given to `received` until that returns True.

        `failed` is called at most once, with Unavailable, when the link breaks or `timeout` seconds
        pass without a reply. Returns the correlation id. Raises Overloaded, and nothing was sent.
        """
        correlation_id = self._pending.converse(received, failed, timeout)
        item.correlation_id = correlation_id
        try:
            self._send(correlation_id, item)
        except Overloaded:
            self._pending.forget(correlation_id)
            raise
        return correlation_id

    def forget(self, correlation_id: int) -> None:
        """Ignore what may still come for a conversation."""
        self._pending.forget(correlation_id)
        self._forget_unsent(correlation_id)

    def _serialise(self, item: Item) -> bytes:
        data: bytes = item.SerializeToString()
        if len(data) > self._options.item_bytes_max:
            raise Overloaded(
                f"an item of {len(data)} bytes is larger than message_bytes "
                f"({self._options.item_bytes_max})"
            )
        return data

    def _send(self, correlation_id: int, item: Item) -> None:
        if self._closed:
            self._pending.forget(correlation_id)
            raise Unavailable(f"the link to {self._target} is closed")
        data = self._serialise(item)
        if self._writer is not None:
            self._writer.put(data)
            return
        self._drop_expired_unsent()
        options = self._options
        if (
            len(self._unsent) >= options.queue_items_max
            or self._unsent_bytes + len(data) > options.queue_bytes_max
        ):
            raise Overloaded(f"too much is waiting for {self._target}, which is down")
        self._unsent[correlation_id] = data
        self._unsent_bytes += len(data)

    def _drop_expired_unsent(self) -> None:
        """Forget some of the oldest whose callers gave up; called more often than requests expire."""
        for correlation_id in list(islice(self._unsent, 8)):
            if correlation_id not in self._pending:
                self._forget_unsent(correlation_id)

    def _forget_unsent(self, correlation_id: int) -> None:
        data = self._unsent.pop(correlation_id, None)
        if data is not None:
            self._unsent_bytes -= len(data)

    async def close(self) -> None:
        self._closed = True
        self._task.cancel()
        await asyncio.wait([self._task], timeout=_CLOSE_SECONDS)
        self._pending.close(f"the link to {self._target} was closed")
        self._unsent.clear()
        self._unsent_bytes = 0

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._connect_once()
            except _Broken as error:
                reason = str(error)
                if reason != self._last_failure:
                    _log.info("link %s: %s", self._target, reason)
                self._last_failure = reason
            await asyncio.sleep(self._backoff.next_s())

    async def _connect_once(self) -> None:
        """One channel, one stream, until it breaks. Raises _Broken, always."""
        channel = open_channel(self._address, self._options, self._tls)
        try:
            call: _StreamCall = channel.stream_stream(self._spec.name)()
            try:
                async with asyncio.timeout(self._options.connect_timeout_s):
                    await _confirm(call)
            except TimeoutError:
                raise _Broken("no answer while connecting") from None
            await self._run_stream(call)
        except grpc.RpcError as error:
            raise _Broken(_describe_error(error)) from None
        except asyncio.InvalidStateError:
            raise _Broken("the call had ended") from None
        except asyncio.CancelledError:
            # grpc.aio also raises this when the *call* was cancelled, which is no reason to stop.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise _Broken("the call was cancelled") from None
        finally:
            await channel.close()

    async def _run_stream(self, call: _StreamCall) -> None:
        options = self._options
        writer = CoalescingWriter(
            call.write, items_max=options.queue_items_max, bytes_max=options.queue_bytes_max
        )
        write_task = asyncio.create_task(writer.run(), name=f"link writer {self._target}")
        # A failed write shows in the reader's status too, which says more.
        write_task.add_done_callback(lambda task: _end_call(task, call))
        liveness = Liveness(
            options.keepalive_ms / 1000,
            options.silent_ticks_max,
            tick=writer.ping,
            silent=lambda: self._silence(call),
        )
        self._liveness = liveness
        reason = "the stream ended"
        self._silent = False
        try:
            self._go_up(writer)
            await self._read(call, liveness)
        except _Broken as error:
            reason = str(error)
            raise
        except asyncio.CancelledError:
            if self._silent and not self._closed:
                reason = "the server is silent"
                raise _Broken(reason) from None
            raise
        finally:
            liveness.stop()
            self._liveness = None
            write_task.cancel()
            call.cancel()
            self._go_down(reason)

    def _silence(self, call: _StreamCall) -> None:
        self._silent = True
        call.cancel()

    def _go_up(self, writer: CoalescingWriter) -> None:
        self._writer = writer
        # At once, so that the server minds our silence from the beginning.
        writer.ping()
        self._last_failure = ""
        _log.debug("link %s is up", self._target)
        try:
            if self._came_up is not None:
                self._came_up()
        except Exception:
            _log.exception("link %s: came_up failed", self._target)
            raise _Broken("came_up failed") from None
        unsent, self._unsent = self._unsent, {}
        self._unsent_bytes = 0
        for correlation_id, data in unsent.items():
            if correlation_id in self._pending:
                try:
                    writer.put(data)
                except Overloaded as error:
                    self._pending.fail(correlation_id, error)

    def _go_down(self, reason: str) -> None:
        self._writer = None
        self._pending.fail_all(f"the link to {self._target} broke: {reason}")
        try:
            if self._went_down is not None:
                self._went_down()
        except Exception:
            _log.exception("link %s: went_down failed", self._target)

    async def _read(self, call: _StreamCall, liveness: Liveness) -> None:
        """Read until the stream breaks. Raises _Broken, always."""
        loop = asyncio.get_running_loop()
        up_since = loop.time()
        reset = False
        parse = self._spec.replies.FromString
        resolve = self._pending.resolve
        while True:
            data: Any = await call.read()
            if data is grpc.aio.EOF:
                raise _Broken(await _describe(call))
            liveness.heard()
            try:
                pushed = resolve(parse(data).items)
            except DecodeError:
                raise _Broken("the server sent something that is no message") from None
            if pushed and self._pushed is not None:
                self._push(pushed)
            if not reset and loop.time() - up_since >= _GOOD_STREAM_SECONDS:
                self._backoff.reset()
                reset = True

    def _push(self, items: Sequence[Item]) -> None:
        try:
            assert self._pushed is not None
            self._pushed(items)
        except InvariantViolation:
            raise
        except Exception:
            # What was pushed is lost for the receiver; a new stream lets it start over.
            _log.exception("link %s: the receiver of pushed items failed", self._target)
            raise _Broken("the receiver of pushed items failed") from None


def report_failure(task: asyncio.Task[None]) -> None:
    """Nobody awaits the task: what ended it (an invariant) goes to the loop's exception handler."""
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler(
            {"message": f"{task.get_name()} failed", "exception": error, "task": task}
        )


async def _confirm(call: _StreamCall) -> None:
    metadata = await call.initial_metadata()
    if metadata is None or READY_METADATA not in tuple(metadata):
        if metadata:
            call.cancel()
            raise _Broken("the server there does not speak this protocol")
        raise _Broken(await _describe(call))


def _end_call(task: asyncio.Task[None], call: _StreamCall) -> None:
    if not task.cancelled() and task.exception() is not None:
        call.cancel()


def _describe_error(error: grpc.RpcError) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"
    return repr(error)


async def _describe(call: _StreamCall) -> str:
    code = await call.code()
    details = await call.details()
    return f"{code.name}: {details}"
