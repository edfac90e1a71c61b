"""An engine that knows just enough SQL to drive sessions, and transactions that record what happens.

Understood: `SELECT item, ...` of constants, parameters ($n, with a cast or a declared type) and
    fail('sqlstate')        raises that error while executing
    sleep(seconds)          waits, so that it can be cancelled
    series(n)               n rows 1..n, as a list
    stream(n)               n rows 1..n, as an iterator of parts
    spin(n)                 n rows as an iterator that never ends when n is 0
`SELECT * FROM t`, `INSERT INTO t VALUES (a, b), ...`, `CREATE TABLE` (a no-op), COPY t FROM.
The one table is t(a int4, b text).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Statement
from trilithon.query.session.results import ResultColumn
from trilithon.query.session.session import Session, SessionServices
from trilithon.types.registry import BOOL, FLOAT8, INT4, TEXT, TypeRef, lookup_type, type_info

TABLE = (ResultColumn("a", INT4, 16384, 1), ResultColumn("b", TEXT, 16384, 2))
T_NAMES = [column.name for column in TABLE]


class FakeClock:
    def __init__(self) -> None:
        self.now_us = 1_000_000_000
        self.wall = 1_800_000_000_000_000

    def monotonic_us(self) -> int:
        return self.now_us

    def wall_us(self) -> int:
        return self.wall


@dataclass
class Cluster:
    """What is committed, and how the next commit goes."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    commit_error: BaseException | None = None
    commit_gate: asyncio.Event | None = None
    begun: list[dict[str, bool]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    next_csn: int = 1


class FakeTransaction:
    def __init__(self, cluster: Cluster, number: int) -> None:
        self.cluster = cluster
        self.id = number.to_bytes(16, "big")
        self.snapshot_csn = cluster.next_csn
        self.catalog = SimpleNamespace()
        self.started_us = 0
        self.writes: list[tuple[Any, ...]] = []
        self.marks: list[tuple[str, int]] = []
        self.state = "active"

    def rows(self) -> list[tuple[Any, ...]]:
        assert self.state == "active"
        return [*self.cluster.rows, *self.writes]

    def savepoint(self, name: str) -> None:
        self.marks.append((name, len(self.writes)))

    def _index(self, name: str) -> int:
        return next(i for i in range(len(self.marks) - 1, -1, -1) if self.marks[i][0] == name)

    def release(self, name: str) -> None:
        del self.marks[self._index(name) :]

    def rollback_to(self, name: str) -> None:
        index = self._index(name)
        del self.writes[self.marks[index][1] :]
        del self.marks[index + 1 :]

    async def commit(self) -> Any:
        assert self.state == "active"
        cluster = self.cluster
        if cluster.commit_gate is not None:
            await cluster.commit_gate.wait()
        error, cluster.commit_error = cluster.commit_error, None
        self.state = "ended"
        cluster.log.append("commit")
        if error is not None:
            raise error
        if not self.writes:
            return SimpleNamespace(csn=0)
        cluster.rows.extend(self.writes)
        cluster.next_csn += 1
        return SimpleNamespace(csn=cluster.next_csn)

    def rollback(self) -> None:
        self.state = "ended"
        self.cluster.log.append("rollback")


class FakeManager:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def begin(
        self, *, read_only: bool = False, serializable: bool = False
    ) -> FakeTransaction:
        self.cluster.begun.append({"read_only": read_only, "serializable": serializable})
        self.cluster.log.append("begin")
        return FakeTransaction(self.cluster, len(self.cluster.begun))


Item = Callable[[Sequence[Any]], Any]


@dataclass
class FakePlan:
    statement: Statement
    parameter_types: list[TypeRef]
    columns: list[ResultColumn] | None
    read_only: bool
    run: Callable[..., Any]


class FakeEngine:
    """Plans are cached by statement and types, as the real engine's are."""

    def __init__(self) -> None:
        self.plans: dict[Any, FakePlan] = {}
        self.executed = 0
        self.copied: list[tuple[Any, ...]] = []

    def parse(self, sql: str) -> list[Statement]:
        return parse_plain(sql)

    async def prepare(
        self, statement: Statement, transaction: Any, oids: Sequence[int], settings: Any
    ) -> FakePlan:
        key = (id(statement.template), tuple(oids))
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = _Planner(statement, oids).plan()
        return plan

    async def execute(
        self, plan: FakePlan, transaction: Any, parameters: Sequence[Any], context: Any
    ) -> Any:
        self.executed += 1
        rows, tag = await plan.run(transaction, parameters, context)
        return SimpleNamespace(columns=plan.columns, rows=rows, command_tag=tag)

    async def gather_statistics(self, statement: Statement, settings: Any) -> None:
        """There is nothing to count."""

    async def copy_in(self, statement: Statement, transaction: Any, settings: Any) -> Any:
        body = statement.body
        if body["relation"]["relname"] != "t":
            raise SqlError("42P01", f'relation "{body["relation"]["relname"]}" does not exist')
        names = [one["String"]["sval"] for one in body.get("attlist", ())] or T_NAMES
        columns = [TABLE[T_NAMES.index(name)] for name in names]

        async def insert(rows: list[tuple[Any, ...]], context: Any) -> None:
            for row in rows:
                values = dict(zip(names, row, strict=True))
                transaction.writes.append((values.get("a"), values.get("b")))

        async def finish(context: Any) -> None:
            pass

        return SimpleNamespace(columns=columns, insert=insert, finish=finish)


class _Planner:
    def __init__(self, statement: Statement, oids: Sequence[int]) -> None:
        self.statement = statement
        self.types: dict[int, TypeRef] = {n: TypeRef(o) for n, o in enumerate(oids, 1) if o}

    def plan(self) -> FakePlan:
        statement = self.statement
        match statement.tag:
            case "SelectStmt":
                (columns, run), read_only = self._select(statement.body), True
            case "InsertStmt":
                (columns, run), read_only = self._insert(statement.body), False
            case "CreateStmt":
                (columns, run), read_only = (None, self._nothing("CREATE TABLE")), False
            case tag:
                raise SqlError("0A000", f"the fake engine does not know {tag}")
        count = max([statement.template.parameter_count, *self.types.keys()], default=0)
        types = [self.types.get(n, TEXT) for n in range(1, count + 1)]
        return FakePlan(statement, types, columns, read_only, run)

    def _nothing(self, tag: str) -> Any:
        async def run(transaction: Any, parameters: Any, context: Any) -> Any:
            return [], tag

        return run

    def _select(self, body: Any) -> Any:
        if body.get("fromClause"):
            if body["fromClause"][0]["RangeVar"]["relname"] != "t":
                raise SqlError("42P01", 'relation "nope" does not exist', position=15)
            fields = [
                target["ResTarget"]["val"]["ColumnRef"]["fields"][0]
                for target in body["targetList"]
            ]
            if "A_Star" in fields[0]:
                chosen = list(range(len(TABLE)))
            else:
                chosen = [T_NAMES.index(one["String"]["sval"]) for one in fields]

            async def all_rows(transaction: Any, parameters: Any, context: Any) -> Any:
                rows = [tuple(row[i] for i in chosen) for row in transaction.rows()]
                return rows, f"SELECT {len(rows)}"

            return [TABLE[i] for i in chosen], all_rows
        items, columns, special = [], [], None
        for target in body.get("targetList", ()):
            name = target["ResTarget"].get("name", "?column?")
            value = target["ResTarget"]["val"]
            if "FuncCall" in value:
                special = (value["FuncCall"]["funcname"][0]["String"]["sval"], value["FuncCall"])
                columns.append(ResultColumn(special[0], INT4))
                items.append(self._item(value["FuncCall"]["args"][0])[1])
                continue
            ref, item = self._item(value)
            columns.append(ResultColumn(name, ref))
            items.append(item)

        async def run(transaction: Any, parameters: Any, context: Any) -> Any:
            row = tuple(item(parameters) for item in items)
            if special is not None:
                return await _special(special[0], row[-1])
            return [row], "SELECT 1"

        return columns, run

    def _item(self, node: Any) -> tuple[TypeRef, Item]:
        tag, body = next(iter(node.items()))
        match tag:
            case "ParamRef":
                number = body["number"]
                ref = self.types.setdefault(number, TEXT)
                return ref, lambda parameters: parameters[number - 1]
            case "TypeCast":
                ref = lookup_type(body["typeName"]["names"][-1]["String"]["sval"])
                if "ParamRef" in body["arg"]:
                    number = body["arg"]["ParamRef"]["number"]
                    self.types.setdefault(number, ref)
                    return ref, lambda parameters: parameters[number - 1]
                _, inner = self._item(body["arg"])
                return ref, lambda parameters: _cast(ref, inner(parameters))
            case "A_Const":
                if body.get("isnull"):
                    return TEXT, lambda _: None
                if "ival" in body:
                    number = body["ival"].get("ival", 0)
                    return INT4, lambda _: number
                if "boolval" in body:
                    flag = body["boolval"].get("boolval", False)
                    return BOOL, lambda _: flag
                if "fval" in body:
                    number = float(body["fval"]["fval"])
                    return FLOAT8, lambda _: number
                text = body.get("sval", {}).get("sval", "")
                return TEXT, lambda _: text
            case _:
                raise SqlError("0A000", f"the fake engine does not know {tag}")

    def _insert(self, body: Any) -> Any:
        if body["relation"]["relname"] != "t":
            raise SqlError("42P01", 'relation "nope" does not exist')
        lists = body["selectStmt"]["SelectStmt"]["valuesLists"]
        tuples = []
        for one in lists:
            items = []
            for column, node in zip(TABLE, one["List"]["items"], strict=False):
                if "ParamRef" in node:
                    self.types.setdefault(node["ParamRef"]["number"], column.type)
                items.append(self._item(node)[1])
            tuples.append(items)
        returning = "returningList" in body or "returningClause" in body

        async def run(transaction: Any, parameters: Any, context: Any) -> Any:
            rows = [tuple(item(parameters) for item in items) for items in tuples]
            for row in rows:
                if row[0] == 23505:
                    raise SqlError(
                        "23505",
                        "duplicate key value violates unique constraint",
                        detail="Key (a)=(23505) already exists.",
                        schema="public",
                        table="t",
                        constraint="t_pkey",
                    )
            transaction.writes.extend(rows)
            return (rows if returning else []), f"INSERT 0 {len(rows)}"

        return (list(TABLE) if returning else None), run


def _cast(ref: TypeRef, value: Any) -> Any:
    if value is None:
        return None
    name = type_info(ref.oid).name
    if name in ("int4", "int8", "int2"):
        try:
            return int(value)
        except ValueError:
            raise SqlError("22P02", f'invalid input syntax for type integer: "{value}"') from None
    if name == "text":
        return str(value)
    return value


async def _special(name: str, argument: Any) -> Any:
    match name:
        case "fail":
            raise SqlError(str(argument), f"failed with {argument}")
        case "crash":
            raise RuntimeError("a bug")
        case "sleep":
            await asyncio.sleep(float(argument))
            return [(1,)], "SELECT 1"
        case "series":
            return [(n,) for n in range(1, int(argument) + 1)], f"SELECT {argument}"
        case "stream":
            return _stream(int(argument), 0), "SELECT"
        case "spin":
            return _stream(10**9, int(argument)), "SELECT"
        case "fail_late":
            return _fail_late(str(argument)), "SELECT"
        case _:
            raise SqlError("42883", f"function {name}() does not exist")


async def _stream(count: int, pause: int) -> AsyncIterator[list[tuple[Any, ...]]]:
    for start in range(1, count + 1, 1000):
        await asyncio.sleep(0)
        yield [(n,) for n in range(start, min(start + 1000, count + 1))]


async def _fail_late(sqlstate: str) -> AsyncIterator[list[tuple[Any, ...]]]:
    yield [(1,), (2,)]
    raise SqlError(sqlstate, "failed late")


class Driver:
    """Runs SQL on one session the way a transport does."""

    def __init__(self, cluster: Cluster | None = None, user: str = "admin") -> None:
        self.cluster = cluster or Cluster()
        self.services = make_services_for(self.cluster)
        self.session = Session(self.services, user, "postgres")

    async def simple(self, sql: str) -> list[Any]:
        """What a simple query answers: per statement (tag, rows); the last may be a SqlError."""
        session = self.session
        session.task = asyncio.current_task()
        session.work_begins()
        session.start_statement()
        answers: list[Any] = []
        try:
            statements = session.engine.parse(sql)
            for index, statement in enumerate(statements):
                outcome = await session.run(statement)
                rows = outcome.rows
                if not isinstance(rows, list):
                    rows = [row async for part in rows for row in part]
                if index == len(statements) - 1:
                    await session.end_implicit()
                answers.append((outcome.tag, rows))
        except BaseException as error:
            answers.append(session.fail(error))
        session.work_done()
        return answers

    async def one(self, sql: str) -> Any:
        answers = await self.simple(sql)
        return answers[-1]

    async def tag(self, sql: str) -> str:
        answer = await self.one(sql)
        return answer[0] if isinstance(answer, tuple) else f"!{answer.sqlstate}"

    async def rows(self, sql: str) -> list[Any]:
        answer = await self.one(sql)
        assert isinstance(answer, tuple), answer
        return answer[1]

    @property
    def state(self) -> str:
        return self.session.block.name

    def notices(self) -> list[str]:
        found = [notice.sqlstate for notice in self.session.notices]
        self.session.notices.clear()
        return found


def make_services_for(cluster: Cluster) -> SessionServices:
    return SessionServices(
        engine=FakeEngine(),
        transactions=FakeManager(cluster),
        clock=FakeClock(),
        random=random.Random(1),
    )
