"""Query processors as the SDK sees them, in memory: links that can be cut, scripted answers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from trilithon.core.errors import Unavailable
from trilithon.v1 import sql_pb2, types_pb2

# None: there is no answer.
Answer = Callable[[sql_pb2.SqlRequest], sql_pb2.SqlReply | BaseException | None]


class FakeEndpoint:
    """One address. `script` answers Execute by its SQL; anything else succeeds."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.up = True
        self.script: dict[str, Answer] = {}
        self.seen: list[str] = []
        self.links: list[FakeLink] = []
        self.transaction_numbers = itertools.count(1)
        self.outcomes: dict[bytes, int] = {}
        self.state = sql_pb2.SessionState(status=sql_pb2.SessionState.STATUS_IDLE)

    def cut(self) -> None:
        self.up = False
        for link in self.links:
            link.went_down()

    def heal(self) -> None:
        self.up = True
        for link in self.links:
            link.came_up()

    def answer(self, item: sql_pb2.SqlRequest) -> sql_pb2.SqlReply | BaseException | None:
        kind = item.WhichOneof("request")
        if kind == "open":
            return sql_pb2.SqlReply(opened=sql_pb2.SessionOpened(region=self.region))
        if kind == "transaction_status":
            outcome = self.outcomes.get(item.transaction_status.transaction_id, 2)
            return sql_pb2.SqlReply(
                transaction_status=sql_pb2.TransactionStatusAnswer(outcome=outcome, csn=7)
            )
        sql = item.execute.sql
        self.seen.append(sql)
        for prefix, answer in self.script.items():
            if sql.startswith(prefix):
                return answer(item)
        return done(sql.split()[0], state=self._state(sql))

    def _state(self, sql: str) -> sql_pb2.SessionState:
        if sql.startswith("BEGIN"):
            number = next(self.transaction_numbers)
            self.state = sql_pb2.SessionState(
                status=sql_pb2.SessionState.STATUS_IN_TRANSACTION,
                transaction_id=f"{self.region}-{number:014}".encode(),
                snapshot_csn=number,
            )
        elif sql in ("COMMIT", "ROLLBACK"):
            self.state = sql_pb2.SessionState(status=sql_pb2.SessionState.STATUS_IDLE)
        return self.state


class FakeLink:
    def __init__(
        self, endpoint: FakeEndpoint, came_up: Callable[[], None], went_down: Callable[[], None]
    ) -> None:
        self._endpoint = endpoint
        self.came_up, self.went_down = came_up, went_down
        endpoint.links.append(self)

    @property
    def up(self) -> bool:
        return self._endpoint.up

    @property
    def quiet(self) -> bool:
        return False

    def post(self, item: sql_pb2.SqlRequest) -> None:
        pass

    async def request(self, item: sql_pb2.SqlRequest, *, timeout: float) -> sql_pb2.SqlReply:
        await asyncio.sleep(0)
        if not self._endpoint.up:
            raise Unavailable("the link is down")
        answer = self._endpoint.answer(item)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, BaseException):
            raise answer
        assert answer is not None
        return answer

    async def close(self) -> None:
        pass


class FakeNetwork:
    def __init__(self, endpoints: dict[str, FakeEndpoint]) -> None:
        self._endpoints = endpoints

    def link(
        self,
        spec: Any,
        address: str,
        *,
        pushed: Callable[[Sequence[Any]], None] | None = None,
        came_up: Callable[[], None] | None = None,
        went_down: Callable[[], None] | None = None,
    ) -> FakeLink:
        return FakeLink(
            self._endpoints[address], came_up or (lambda: None), went_down or (lambda: None)
        )


def done(tag: str, *, state: sql_pb2.SessionState | None = None) -> sql_pb2.SqlReply:
    part = sql_pb2.ResultPart(command_tag=tag)
    return sql_pb2.SqlReply(results=sql_pb2.Results(parts=[part]), state=state)


def failed(sqlstate: str, message: str = "no", **fields: str) -> sql_pb2.SqlReply:
    error = types_pb2.SqlError(sqlstate=sqlstate, message=message, severity="ERROR", **fields)
    return sql_pb2.SqlReply(error=error)
