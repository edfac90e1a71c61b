"""Anomalies as golden scripts (`golden_script`): sessions of both Regions, interleaved as written.

A line is `session@Region what`; a session stays open. Nothing goes wrong in these clusters: what is shown is
what concurrent transactions may see of each other.

On keys, `what` is one of these (every key holds one word):
    begin [serializable]    read x y    scan a z    write x 5    delete x    commit    rollback
In SQL it is a statement, through the SDK and a whole query processor.
"""

from __future__ import annotations

from typing import Any

from cluster import ClientNode, Cluster, QueryNode
from workload import row_key, table_range

from trilithon.client.errors import DatabaseError
from trilithon.client.session import AsyncSession
from trilithon.core.errors import SqlError
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE

_TABLE = 20_001
_COMMAND_S = 20.0


class AnomalyScript:
    """One simulated cluster; `execute` runs virtual time until the command is done."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        cluster.start()
        cluster.run(3.0)

    def execute(self, line: str) -> list[str]:
        who, _, what = line.partition(" ")
        name, _, region = who.partition("@")
        done: list[list[str]] = []

        async def work() -> None:
            done.append(await self.command(name, region, what))

        self.process(region).run(work())
        self._cluster.run_until(lambda: bool(done), _COMMAND_S, f"`{line}` is done")
        return [f"{name}: {event}" for event in done[0]]

    def process(self, region: str) -> Any:
        raise NotImplementedError

    async def command(self, name: str, region: str, what: str) -> list[str]:
        raise NotImplementedError


class KeyScript(AnomalyScript):
    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._transactions: dict[str, Any] = {}

    def process(self, region: str) -> Any:
        return self._node(region).process

    def _node(self, region: str) -> QueryNode:
        nodes: list[QueryNode] = self._cluster.of(QueryNode, region)
        return nodes[0]

    async def command(self, name: str, region: str, what: str) -> list[str]:
        verb, *words = what.split()
        if verb == "begin":
            manager = self._node(region).manager
            self._transactions[name] = await manager.begin(serializable="serializable" in words)
            return []
        transaction = self._transactions[name]
        match verb:
            case "read":
                rows = await transaction.get([_key(word) for word in words])
                return [_shown(dict(zip(words, rows, strict=True)))]
            case "scan":
                found: dict[str, Any] = {}
                start, end = (_key(word) for word in words)
                async for chunk in transaction.scan(start, end, with_keys=True):
                    found |= {
                        _name(key): row for key, row in zip(chunk.keys, chunk.rows, strict=True)
                    }
                return [_shown(found)]
            case "write":
                transaction.write(_key(words[0]), MODE_EXCLUSIVE, encode_row([words[1]]))
            case "delete":
                transaction.write(_key(words[0]), MODE_EXCLUSIVE, None)
            case "rollback":
                transaction.rollback()
            case "commit":
                try:
                    await transaction.commit()
                except SqlError as error:
                    return [f"{error.sqlstate} {error.message}"]
                return ["committed"]
            case _:
                raise AssertionError(f"no such command: {verb}")
        return []


def _key(name: str) -> bytes:
    return row_key(_TABLE, ord(name))


def _name(key: bytes) -> str:
    start, _ = table_range(_TABLE)
    return next(
        name
        for name in map(chr, range(ord("a"), ord("z") + 1))
        if _key(name) == key and key > start
    )


def _shown(rows: dict[str, Any]) -> str:
    pairs = [f"{name} = {'nothing' if row is None else row[0]}" for name, row in rows.items()]
    return ", ".join(pairs) or "nothing"


class SqlScript(AnomalyScript):
    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._sessions: dict[str, AsyncSession] = {}

    def process(self, region: str) -> Any:
        return self._node(region).process

    def _node(self, region: str) -> ClientNode:
        return self._cluster.client_nodes[f"{region}/client"]

    async def command(self, name: str, region: str, what: str) -> list[str]:
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = await self._node(region).client._take()
        try:
            results = await session.execute(what)
        except DatabaseError as error:
            return [f"{error.sqlstate} {error.message}"]
        shown: list[str] = []
        for result in results:
            rows = [" ".join(map(str, row)) for row in result.rows]
            shown.append("; ".join(rows) or "no rows" if result.columns else result.command_tag)
        return shown
