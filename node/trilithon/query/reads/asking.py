"""One request to one storage process: repeated while it makes sense, failures as SqlErrors.

Reads have no effect, so that they may be asked again whatever became of the first time.
"""

from __future__ import annotations

import asyncio
from typing import Final

from trilithon.core.errors import Overloaded, SqlError, Unavailable
from trilithon.core.world import Link, World
from trilithon.query.reads import meter
from trilithon.query.reads.owners import StorageTarget
from trilithon.query.reads.patience import Patience, impatient
from trilithon.v1 import storage_pb2, types_pb2

Failure = types_pb2.Failure

_BACKOFF_MIN_S: Final = 0.005
_BACKOFF_MAX_S: Final = 0.2
_SLACK_S: Final = 0.5
# So long for a storage whose link is down to come back, before its loss is thought about again.
_DOWN_ATTEMPT_S: Final = 0.2


class StorageChannel:
    """The link to one storage process. `timeout_s` bounds a question, all its repetitions included."""

    __slots__ = ("_link", "_patience", "_timeout_s", "_timeout_us", "_world", "target")

    def __init__(self, world: World, target: StorageTarget, link: Link, timeout_s: float) -> None:
        self.target = target
        self._world = world
        self._link = link
        # Storage's own answer ("I waited in vain") says more than our timeout: let it come first.
        self._timeout_s = timeout_s + _SLACK_S
        self._timeout_us = int(self._timeout_s * 1e6)
        self._patience = Patience(int(timeout_s * 1e6))

    async def ask(self, request: storage_pb2.StorageRequest) -> storage_pb2.StorageReply:
        """The reply that has rows. Raises SqlError."""
        counting = meter.current.get()
        if counting is None:
            return await self._ask(request)
        reply = await self._ask(request)
        counting.answered(self.target.name, reply.ByteSize())
        return reply

    async def _ask(self, request: storage_pb2.StorageRequest) -> storage_pb2.StorageReply:
        deadline_us = self._world.clock.monotonic_us() + self._timeout_us
        if not self._link.up:
            return await self._ask_again(request, Unavailable("its link is down"), deadline_us)
        try:
            reply: storage_pb2.StorageReply = await self._link.request(
                request, timeout=self._timeout_s
            )
        except asyncio.CancelledError:
            self._cancel(request)
            raise
        except (Unavailable, Overloaded) as error:
            return await self._ask_again(request, error, deadline_us)
        if reply.HasField("failure"):
            return await self._ask_again(request, reply.failure, deadline_us)
        if reply.HasField("error"):
            raise from_wire(reply.error)
        self._patience.found()
        return reply

    async def _ask_again(
        self,
        request: storage_pb2.StorageRequest,
        why: Exception | types_pb2.Failure,
        deadline_us: int,
    ) -> storage_pb2.StorageReply:
        clock = self._world.clock
        backoff_s = _BACKOFF_MIN_S
        hurry = impatient.get()
        while _passes(why):
            now_us = clock.monotonic_us()
            self._patience.failed(now_us)
            if self._patience.over(now_us, hurry=hurry):
                break
            await asyncio.sleep(backoff_s * self._world.random.uniform(0.5, 1.0))
            backoff_s = min(_BACKOFF_MAX_S, backoff_s * 2)
            left_s = (deadline_us - clock.monotonic_us()) / 1e6
            if left_s <= 0:
                break
            if not self._link.up:
                left_s = min(left_s, _DOWN_ATTEMPT_S)
            try:
                reply: storage_pb2.StorageReply = await self._link.request(request, timeout=left_s)
            except asyncio.CancelledError:
                self._cancel(request)
                raise
            except (Unavailable, Overloaded) as error:
                why = error
                continue
            if reply.HasField("error"):
                raise from_wire(reply.error)
            if not reply.HasField("failure"):
                self._patience.found()
                return reply
            why = reply.failure
        raise self._give_up(why)

    def _give_up(self, why: Exception | types_pb2.Failure) -> SqlError:
        name = self.target.name
        if isinstance(why, Overloaded):
            return SqlError("53000", f"storage {name} is overloaded", detail=str(why))
        if isinstance(why, Exception):
            return SqlError("57P03", "the Region cannot serve reads now", detail=f"{name}: {why}")
        detail = f"{name}: {why.message}"
        match why.code:
            case Failure.CODE_SNAPSHOT_TOO_OLD:
                return SqlError("72000", "snapshot too old", detail=detail)
            case Failure.CODE_UNAVAILABLE:
                return SqlError("57P03", "the Region cannot serve reads now", detail=detail)
            case Failure.CODE_OVERLOADED:
                return SqlError("53000", f"storage {name} is overloaded", detail=why.message)
            case Failure.CODE_INTERNAL:
                return SqlError("58000", "storage failed", detail=detail)
            case _:
                return SqlError("XX000", "storage refused the read", detail=detail)

    def _cancel(self, request: storage_pb2.StorageRequest) -> None:
        """Nobody waits for the answer any more; storage need not either."""
        if request.correlation_id:
            cancel = storage_pb2.Cancel(correlation_id=request.correlation_id)
            try:
                self._link.post(storage_pb2.StorageRequest(cancel=cancel))
            except (Overloaded, Unavailable):
                return

    async def close(self) -> None:
        await self._link.close()


def _passes(why: Exception | types_pb2.Failure) -> bool:
    """Whether asking again may help."""
    if isinstance(why, Exception):
        return True
    return why.code in (Failure.CODE_UNAVAILABLE, Failure.CODE_OVERLOADED)


def from_wire(error: types_pb2.SqlError) -> SqlError:
    return SqlError(
        error.sqlstate,
        error.message,
        detail=error.detail,
        hint=error.hint,
        position=error.position,
        severity=error.severity or "ERROR",
        schema=error.schema_name,
        table=error.table_name,
        column=error.column_name,
        constraint=error.constraint_name,
        data_type=error.data_type_name,
    )
