"""A whole query side in memory: the engine over the transactions of `fake_cluster`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fake_cluster import FakeCluster

from trilithon.expression.context import EvalContext
from trilithon.query.engine import Engine
from trilithon.query.transaction.limits import TransactionLimits
from trilithon.types import text_io
from trilithon.types.settings import IoSettings


@dataclass(slots=True)
class Settings:
    search_path: tuple[str, ...] = ("public",)
    io: IoSettings = field(default_factory=IoSettings)
    user: str = "admin"
    database: str = "postgres"


@dataclass(slots=True)
class Answer:
    """`columns` are (name, type oid); `rows` hold texts."""

    tag: str
    columns: list[tuple[str, int]]
    rows: list[tuple[str | None, ...]]
    values: list[tuple[Any, ...]]


class Session:
    """What expressions ask of a session, and the notices that were given."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.transaction: Any = None
        self.notices: list[str] = []
        self.current_user = self.session_user = "admin"
        self.current_database = "postgres"
        self.search_path = settings.search_path

    @property
    def catalog(self) -> Any:
        return self.transaction.catalog

    def notice(self, sqlstate: str, message: str, **more: Any) -> None:
        self.notices.append(message)


class Bench:
    """Statements one after another, each a transaction unless `begin` was called."""

    def __init__(self, **limits: Any) -> None:
        self.cluster = FakeCluster(TransactionLimits(**limits) if limits else None)
        self.cluster.reads.chunk_rows = 100
        self.engine = Engine(self.cluster.manager)
        self.settings = Settings()
        self.session = Session(self.settings)
        self.transaction: Any = None

    async def begin(self) -> None:
        self.transaction = await self.cluster.manager.begin()

    async def commit(self) -> None:
        transaction, self.transaction = self.transaction, None
        await transaction.commit()

    def rollback(self) -> None:
        self.transaction.rollback()
        self.transaction = None

    async def run(
        self, sql: str, parameters: Sequence[Any] = (), oids: Sequence[int] = ()
    ) -> Answer:
        """The last statement's answer."""
        answer = Answer("", [], [], [])
        for statement in self.engine.parse(sql):
            own = self.transaction is None
            transaction = self.transaction or await self.cluster.manager.begin()
            self.session.transaction = transaction
            try:
                prepared = await self.engine.prepare(statement, transaction, oids, self.settings)
                context = EvalContext(settings=self.settings.io, session=self.session)
                result = await self.engine.execute(prepared, transaction, parameters, context)
                rows = result.rows
                if not isinstance(rows, list):
                    rows = [row async for batch in rows for row in batch]
            except BaseException:
                transaction.rollback()
                self.transaction = None
                raise
            if own:
                await transaction.commit()
            columns = list(result.columns or ())
            texts = [
                tuple(
                    None if value is None else text_io.render(c.type, value, self.settings.io)
                    for c, value in zip(columns, row, strict=True)
                )
                for row in rows
            ]
            tag = result.command_tag
            answer = Answer(
                f"SELECT {len(rows)}" if tag == "SELECT" else tag,
                [(c.name, c.type.oid) for c in columns],
                texts,
                [tuple(row) for row in rows],
            )
        return answer

    async def rows(self, sql: str, *parameters: Any) -> list[tuple[str | None, ...]]:
        return (await self.run(sql, parameters)).rows

    async def explain(self, sql: str) -> str:
        return "\n".join(row[0] or "" for row in (await self.run("EXPLAIN " + sql)).rows)
