"""SQLAlchemy 2 on PostgreSQL and here: making tables, reflecting them, and sessions that try again."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from both_systems import Systems
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine.reflection import ObjectKind

SHOP = (Path(__file__).parent / "shop.sql").read_text("utf-8")
# SQL text of views and expressions comes back as it was written: PostgreSQL puts the casts in that it makes.
EXPRESSIONS = ("sqltext", "postgresql_where")


def engines(systems: Systems, driver: str) -> Iterator[sa.Engine]:
    for port, database in systems.both:
        yield sa.create_engine(f"postgresql+{driver}://admin@127.0.0.1:{port}/{database}")


@pytest.fixture(scope="module", params=["psycopg"])
def pair(systems: Systems, request: pytest.FixtureRequest) -> Iterator[tuple[sa.Engine, sa.Engine]]:
    """PostgreSQL's and ours."""
    theirs, ours = engines(systems, request.param)
    yield theirs, ours
    theirs.dispose()
    ours.dispose()


class Kind(enum.Enum):
    SMALL = "small"
    LARGE = "large"


def wide_table(metadata: sa.MetaData) -> None:
    """A column of every kind, and all that can be said of a table."""
    maker = sa.Table(
        "maker",
        metadata,
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("name", sa.String(40), nullable=False, unique=True, comment="who"),
        comment="they make things",
    )
    name = pg.DOMAIN(
        "short_name", sa.Text, not_null=True, check="length(value) > 0", metadata=metadata
    )
    sa.Table(
        "thing",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("kind", sa.Enum(Kind, metadata=metadata), server_default="SMALL"),
        sa.Column("short", name),
        sa.Column("maker_id", sa.ForeignKey(maker.c.id, ondelete="CASCADE", name="made_by")),
        sa.Column("small", sa.SmallInteger, nullable=False, server_default="7"),
        sa.Column("price", sa.Numeric(12, 2)),
        sa.Column("any_numeric", sa.Numeric),
        sa.Column("ratio", sa.Float),
        sa.Column("weight", sa.REAL),
        sa.Column("text", sa.Text, server_default="none"),
        sa.Column("code", sa.CHAR(3)),
        sa.Column("yes", sa.Boolean, server_default=sa.true()),
        sa.Column("raw", sa.LargeBinary),
        sa.Column("token", sa.Uuid),
        sa.Column("day", sa.Date),
        sa.Column("at", sa.Time),
        sa.Column("made", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("local", sa.DateTime),
        sa.Column("exact", pg.TIMESTAMP(precision=3)),
        sa.Column("took", sa.Interval),
        sa.Column("doc", pg.JSONB),
        sa.Column("plain", sa.JSON),
        sa.Column("tags", pg.ARRAY(sa.Text)),
        sa.Column("counts", pg.ARRAY(sa.Integer)),
        sa.Column("double", sa.BigInteger, sa.Computed("abs(id)", persisted=True)),
        sa.CheckConstraint("yes OR (code IS NULL)", name="coded"),
        sa.UniqueConstraint("maker_id", "code", name="once"),
        sa.Index("by_made", sa.text("made DESC"), "kind", postgresql_include=["price"]),
        sa.Index("yes_only", "small", unique=True, postgresql_where=sa.text("yes")),
        sa.Index("by_lower", sa.text("lower(text)")),
        comment="things",
    )
    sa.Sequence("tickets", start=10, increment=5, metadata=metadata)


def without_expressions(value: Any) -> Any:
    """Reflected data as plain values, types by their text."""
    if isinstance(value, dict):
        return {k: without_expressions(v) for k, v in value.items() if k not in EXPRESSIONS}
    if isinstance(value, list | tuple):
        return [without_expressions(one) for one in value]
    return value if value is None or isinstance(value, bool | int | str) else repr(value)


def reflected(engine: sa.Engine, schema: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    inspector = sa.inspect(engine)
    for what in ("table", "view", "materialized_view", "sequence"):
        found[what] = sorted(getattr(inspector, f"get_{what}_names")(schema))
    found["enums"] = inspector.get_enums(schema)  # type: ignore[attr-defined]
    found["domains"] = inspector.get_domains(schema)  # type: ignore[attr-defined]
    for what in (
        "columns",
        "pk_constraint",
        "foreign_keys",
        "unique_constraints",
        "check_constraints",
        "indexes",
        "table_comment",
        "table_options",
    ):
        answer = getattr(inspector, f"get_multi_{what}")(schema=schema, kind=ObjectKind.ANY)
        found[what] = {str(key): without_expressions(value) for key, value in answer.items()}
    return found


def test_reflection_agrees(systems: Systems, pair: tuple[sa.Engine, sa.Engine]) -> None:
    systems.run(SHOP)
    for engine in pair:
        metadata = sa.MetaData()
        wide_table(metadata)
        metadata.create_all(engine)
        metadata.create_all(engine)
    theirs, ours = pair
    for schema in (None, "public", "Odd One"):
        expected, answer = reflected(theirs, schema), reflected(ours, schema)
        for what, value in expected.items():
            assert answer[what] == value, (schema, what)
    for ask in (
        lambda i: sorted(set(i.get_schema_names()) - {"sys"}),
        lambda i: [i.has_table(name) for name in ("child", "rich", "nosuch")],
        lambda i: [i.has_index("child", name) for name in ("child_made", "nosuch")],
        lambda i: [i.has_sequence(name) for name in ("counter", "nosuch")],
        lambda i: [i.has_schema(name) for name in ("Odd One", "nosuch")],
        lambda i: i.get_sorted_table_and_fkc_names(),
    ):
        assert ask(sa.inspect(ours)) == ask(sa.inspect(theirs))
    assert sa.inspect(ours).get_view_definition("rich")
    tables = []
    for engine in pair:
        metadata = sa.MetaData()
        metadata.reflect(engine, views=True)
        thing = sa.Table("thing", sa.MetaData(), autoload_with=engine)
        ddl = str(sa.schema.CreateTable(thing).compile(engine))
        lines = [line for line in ddl.splitlines() if "CHECK" not in line]
        tables.append((sorted(metadata.tables), lines))
    assert tables[0] == tables[1]


def test_every_type_goes_in_and_out(systems: Systems, pair: tuple[sa.Engine, sa.Engine]) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    row = {
        "id": 2**40,
        "kind": Kind.LARGE,
        "short": "it's",
        "small": -5,
        "price": decimal.Decimal("12345.67"),
        "any_numeric": decimal.Decimal("1e-30"),
        "ratio": 0.1,
        "weight": 1.5,
        "text": "ünï\n\\",
        "code": "abc",
        "yes": True,
        "raw": b"\0\xff",
        "token": uuid.UUID(int=77),
        "day": datetime.date(1, 1, 1),
        "at": datetime.time(23, 59, 59, 999999),
        "made": datetime.datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=zone),
        "local": datetime.datetime(9999, 12, 31, 23, 59, 59),
        "exact": datetime.datetime(2000, 1, 1, 0, 0, 0, 123000),
        "took": datetime.timedelta(days=-3, seconds=5),
        "doc": {"a": [1, None, {"b": "ü"}]},
        "plain": [1.5, "x"],
        "tags": ["a,b", None, 'q"', ""],
        "counts": [1, None, 3],
    }
    answers = []
    for engine in pair:
        metadata = sa.MetaData()
        wide_table(metadata)
        metadata.drop_all(engine)
        metadata.create_all(engine)
        thing = metadata.tables["thing"]
        with engine.begin() as connection:
            connection.execute(sa.insert(thing), [row, {**row, "id": 1, "small": 6, "kind": None}])
            connection.execute(sa.insert(thing).values(id=3, short="x", yes=True, small=9))
        with engine.connect() as connection:
            chosen = [c for c in thing.c if c.name != "made"]
            made = sa.select(*chosen).order_by(thing.c.id)
            answers.append([tuple(one) for one in connection.execute(made)])
            with pytest.raises(sa.exc.IntegrityError):
                connection.execute(sa.insert(thing).values(id=3, short="x"))
        metadata.drop_all(engine)
    assert answers[0] == answers[1]


class Base(orm.DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    owner: orm.Mapped[str] = orm.mapped_column(sa.String(30))
    balance: orm.Mapped[int]
    version: orm.Mapped[int] = orm.mapped_column()
    entries: orm.Mapped[list[Entry]] = orm.relationship(back_populates="account")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Entry(Base):
    __tablename__ = "entries"
    id: orm.Mapped[int] = orm.mapped_column(sa.Identity(), primary_key=True)
    account_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("accounts.id"))
    amount: orm.Mapped[int]
    account: orm.Mapped[Account] = orm.relationship(back_populates="entries")


def test_sessions_try_again(systems: Systems, pair: tuple[sa.Engine, sa.Engine]) -> None:
    """A commit that loses fails with 40001; the session rolls back and the unit of work runs again."""
    _, engine = pair
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session, session.begin():
        session.add_all([Account(id=n, owner=f"o{n}", balance=100) for n in (1, 2)])

    attempts = 0

    def pay(amount: int, between: Any = None) -> None:
        nonlocal attempts
        for _ in range(5):
            attempts += 1
            try:
                with orm.Session(engine) as session, session.begin():
                    account = session.get_one(Account, 1)
                    account.balance += amount
                    account.entries.append(Entry(amount=amount))
                    session.flush()
                    if between is not None:
                        between, go = None, between
                        go()
                return
            except sa.exc.OperationalError as error:
                assert error.orig.sqlstate == "40001"  # type: ignore[union-attr]
        pytest.fail("five attempts lost")

    pay(5, between=lambda: pay(7))
    assert attempts == 3
    with orm.Session(engine) as session:
        loaded = session.scalars(
            sa.select(Account).options(orm.selectinload(Account.entries)).order_by(Account.id)
        ).all()
        assert [(a.balance, sorted(e.amount for e in a.entries)) for a in loaded] == [
            (112, [5, 7]),
            (100, []),
        ]
        total = sa.select(Account.owner, sa.func.sum(Entry.amount)).join(Account.entries)
        assert session.execute(total.group_by(Account.owner)).all() == [("o1", 12)]
    Base.metadata.drop_all(engine)
    assert not sa.inspect(engine).has_table("accounts")
