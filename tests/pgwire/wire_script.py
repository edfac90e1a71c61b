"""Golden scripts of PostgreSQL's protocol (`golden_script`), over the fake engine of `session_fakes`.

Lines are messages of one client; a line that begins with `2:` is another client's. What is said up to `sync`
or a query goes out at once, and what comes back up to ReadyForQuery (or CopyInResponse) is shown.

    query select 1          Query               send select 1    the same; waits until it is executed only
    parse s: select $1      Parse, named s; `parse : select 1` has no name
    bind p s 7 NULL         Bind: portal, statement (`-`: no name), values as text
    describe S s            describe P p        close S s        execute p 2
    sync                    answer              what comes up to the next ReadyForQuery
    copy a\\tb\\n             CopyData            copy-done        copy-fail why
    cancel                  CancelRequest for the first client, over a connection of its own
    terminate               what comes until the server closes
"""

from __future__ import annotations

import asyncio
import struct

from session_fakes import FakeEngine
from wire_client import (
    SYNC,
    TERMINATE,
    WireClient,
    bind,
    close,
    describe,
    execute,
    message,
    parse,
    query,
    shown,
)

from trilithon.query.pgwire.listener import Listener

_CANCEL_CODE = 80877102


def _name(word: str) -> str:
    return "" if word == "-" else word


class Script:
    def __init__(self, listener: Listener, engine: FakeEngine) -> None:
        self._listener = listener
        self._engine = engine
        self._clients: dict[str, WireClient] = {}

    async def execute(self, line: str) -> list[str]:
        which, rest = ("2", line[2:].strip()) if line.startswith("2:") else ("", line)
        client = self._clients.get(which)
        if client is None:
            client = self._clients[which] = await WireClient.connect(self._listener)
        verb, _, text = rest.partition(" ")
        prefix = f"{which}: " if which else ""
        return [prefix + one for one in await self._do(client, verb, text)]

    async def _do(self, client: WireClient, verb: str, text: str) -> list[str]:
        words = text.split()
        match verb:
            case "query":
                client.send(query(text))
                return await self._answer(client)
            case "send":
                executed = self._engine.executed
                client.send(query(text))
                async with asyncio.timeout(10):
                    while self._engine.executed == executed:
                        await asyncio.sleep(0.001)
            case "parse":
                name, _, sql = text.partition(":")
                client.send(parse(sql.strip(), name.strip()))
            case "bind":
                values = [None if word == "NULL" else word.encode() for word in words[2:]]
                client.send(bind(*values, portal=_name(words[0]), statement=_name(words[1])))
            case "describe":
                client.send(describe(words[0], _name(words[1])))
            case "execute":
                client.send(execute(_name(words[0]), int(words[1]) if words[1:] else 0))
            case "close":
                client.send(close(words[0], _name(words[1])))
            case "sync":
                client.send(SYNC)
                return await self._answer(client)
            case "answer" | "copy-done" | "copy-fail":
                if verb != "answer":
                    done = verb == "copy-done"
                    client.send(message("c") if done else message("f", text.encode() + b"\0"))
                return await self._answer(client)
            case "copy":
                client.send(message("d", text.encode().decode("unicode_escape").encode()))
            case "cancel":
                await self._cancel()
            case "terminate":
                client.send(TERMINATE)
                return [*await client.rest(), "closed"]
            case _:
                raise AssertionError(f"no such command: {verb}")
        return []

    async def _answer(self, client: WireClient) -> list[str]:
        lines: list[str] = []
        while True:
            kind, body = await client.receive()
            if not kind:
                return [*lines, "closed"]
            if kind != "S":
                lines.append(shown(kind, body))
            if kind in "ZG":
                return lines

    async def _cancel(self) -> None:
        process, secret = self._clients[""].key
        other = await WireClient.open(self._listener)
        body = struct.pack("!iI", _CANCEL_CODE, process) + secret
        other.send(struct.pack("!i", len(body) + 4) + body)
        await other.rest()
        await other.close()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
