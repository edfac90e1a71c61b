"""`trilithon sql` against a server that answers a few statements."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from rich.console import Console

from trilithon.cli.shell import Conversation, as_text, interact, run_sql
from trilithon.core.world import Peer
from trilithon.link import GrpcNetwork, specs
from trilithon.v1 import sql_pb2

IN_TRANSACTION = sql_pb2.SessionState(status=sql_pb2.SessionState.STATUS_IN_TRANSACTION)


class SqlServer:
    def connected(self, peer: Peer) -> None: ...

    def disconnected(self, peer: Peer) -> None: ...

    def received(self, peer: Peer, items: Sequence[Any]) -> None:
        for item in items:
            if item.correlation_id:
                reply = self.answer(item)
                reply.correlation_id = item.correlation_id
                peer.send(reply)

    def answer(self, item: sql_pb2.SqlRequest) -> sql_pb2.SqlReply:
        if item.WhichOneof("request") == "open":
            return sql_pb2.SqlReply(opened=sql_pb2.SessionOpened(region="a"))
        reply = sql_pb2.SqlReply()
        sql = item.execute.sql
        if sql.startswith("BEGIN"):
            reply.state.CopyFrom(IN_TRANSACTION)
        if sql.startswith("SELEC "):
            reply.error.sqlstate = "42601"
            reply.error.message = 'syntax error at or near "SELEC"'
            return reply
        part = reply.results.parts.add(command_tag=sql.split()[0].rstrip(";"))
        if sql.startswith("SELECT"):
            part.columns.add(name="id", type_oid=23)
            part.columns.add(name="[bold]text", type_oid=25)
            part.rows = msgspec.msgpack.encode([[1, "x [red]y"], [2, None]])
            part.command_tag = "SELECT 2"
        return reply


@pytest.fixture
def conversation() -> Iterator[Conversation]:
    """The server has a thread and a loop of its own, as the shell blocks."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)

    server = run(GrpcNetwork().serve("127.0.0.1:0", {specs.SQL: SqlServer()}, {}))
    with Conversation(GrpcNetwork, [server.address], "admin") as made:
        yield made
    run(server.close(0))
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def console() -> Console:
    return Console(file=io.StringIO(), width=100, highlight=False)


def shown(made: Console) -> str:
    assert isinstance(made.file, io.StringIO)
    return made.file.getvalue()


def test_rows_and_tags_and_errors(conversation: Conversation) -> None:
    out = console()
    errors = io.StringIO()
    assert run_sql(conversation, "SELECT * FROM t", out, errors) == 0
    text = shown(out)
    assert "[bold]text" in text
    assert "x [red]y" in text
    assert "(2 rows)" in text
    assert run_sql(conversation, "UPDATE t SET x = 1", out, errors) == 0
    assert "UPDATE" in shown(out)
    assert run_sql(conversation, "SELEC 1", out, errors) == 1
    assert "42601" in errors.getvalue()


def test_a_conversation_by_keyboard(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = iter(["SELECT 1", " ;", "", "SELEC 1;", "BEGIN;", "\\q"])
    prompts: list[str] = []

    def typed(prompt: str) -> str:
        prompts.append(prompt)
        return next(lines)

    monkeypatch.setattr("builtins.input", typed)
    out = console()
    assert interact(conversation, "a", out) == 0
    assert "(2 rows)" in shown(out)
    assert prompts == ["a=> ", "a-> ", "a=> ", "a=> ", "a=> ", "a=*> "]


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trilithon.cli.shell._CONNECT_SECONDS", 0.2)
    errors = io.StringIO()
    with Conversation(GrpcNetwork, ["127.0.0.1:9"], "admin") as made:
        assert run_sql(made, "SELECT 1", console(), errors) == 1
    assert "127.0.0.1:9" in errors.getvalue()


def test_values_as_text() -> None:
    assert [as_text(one) for one in (None, True, False, b"\x01\xff", 1.5, "x")] == [
        "", "t", "f", "\\x01ff", "1.5", "x",
    ]  # fmt: skip
