"""`trilithon sql`: a small shell over the gRPC SDK, for people without psql.

One session for the whole conversation, so that BEGIN ... COMMIT and SET work over several lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trilithon.client.errors import TrilithonError
from trilithon.client.result import Result
from trilithon.client.session import AsyncSession, Endpoints, Login
from trilithon.core.world import Network
from trilithon.v1 import sql_pb2

_CONNECT_SECONDS: Final = 10.0
_STATEMENT_SECONDS: Final = 600.0
_ENDS_STATEMENT: Final = re.compile(r";\s*$")


class Conversation:
    """A blocking session. Its event loop has a thread of its own and keeps the stream alive."""

    def __init__(
        self, make_network: Callable[[], Network], addresses: Sequence[str], user: str
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._addresses = addresses
        self._login = Login(
            user=user, password="", database="postgres", application_name="trilithon sql"
        )
        self._make_network = make_network
        self._endpoints: Endpoints | None = None
        self._session: AsyncSession | None = None

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        async def leave() -> None:
            if self._session is not None:
                await self._session.close()
            if self._endpoints is not None:
                await self._endpoints.close()

        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(leave(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def execute(self, sql: str) -> list[Result]:
        """Raises TrilithonError. Ctrl-C cancels the statement."""

        async def run() -> list[Result]:
            if self._endpoints is None:
                self._endpoints = Endpoints(self._make_network(), self._addresses)
            if self._session is None or not self._session.usable:
                endpoint = await self._endpoints.pick(_CONNECT_SECONDS)
                self._session = AsyncSession(endpoint, self._login, _STATEMENT_SECONDS)
                await self._session.open()
            return await self._session.execute(sql)

        future: Future[list[Result]] = asyncio.run_coroutine_threadsafe(run(), self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    @property
    def mark(self) -> str:
        """As in psql: "=" idle, "=*" in a transaction, "=!" in a failed one."""
        status = None if self._session is None else self._session.state.status
        if status == sql_pb2.SessionState.STATUS_IN_TRANSACTION:
            return "=*"
        return "=!" if status == sql_pb2.SessionState.STATUS_FAILED else "="


def show(console: Console, result: Result) -> None:
    """One statement's result, as a table where it has rows."""
    if not result.columns:
        if result.command_tag:
            console.print(result.command_tag, highlight=False, markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in result.columns:
        table.add_column(escape(column.name), overflow="fold")
    for row in result.rows:
        table.add_row(*(escape(as_text(value)) for value in row))
    console.print(table, highlight=False)
    count = len(result.rows)
    console.print(f"({count} row{'' if count == 1 else 's'})", highlight=False)


def as_text(value: Any) -> str:
    """A value as psql would show it."""
    match value:
        case None:
            return ""
        case bool():
            return "t" if value else "f"
        case bytes():
            return "\\x" + value.hex()
    return str(value)


def run_sql(conversation: Conversation, sql: str, console: Console, errors: TextIO) -> int:
    """Run one string of statements; returns the exit code."""
    try:
        for result in conversation.execute(sql):
            show(console, result)
    except TrilithonError as error:
        errors.write(f"ERROR:  {error}\n")
        return 1
    return 0


def interact(conversation: Conversation, region: str, console: Console) -> int:
    """Statements end with a semicolon; \\q or Ctrl-D leaves."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (gives input() line editing)
    console.print(
        f"Connected to Region {region}. Statements end with a semicolon; \\q leaves.",
        highlight=False,
        markup=False,
    )
    lines: list[str] = []
    while True:
        mark = "-" if lines else conversation.mark
        try:
            line = input(f"{region}{mark}> ")
        except EOFError:
            console.print()
            return 0
        except KeyboardInterrupt:
            lines.clear()
            console.print()
            continue
        if not lines and line.strip() in ("\\q", "quit", "exit"):
            return 0
        lines.append(line)
        text = "\n".join(lines)
        if not text.strip():
            lines.clear()
        elif _ENDS_STATEMENT.search(text):
            lines.clear()
            try:
                run_sql(conversation, text, console, sys.stdout)
            except KeyboardInterrupt:
                console.print("interrupted")
