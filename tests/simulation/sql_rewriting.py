"""A table's rows are made anew, again and again, while they are written and while whoever makes them is killed.

Columns change their types and back, indexed ones and the key among them; columns come with values that differ from
row to row, and go; some changes must fail, at times late. Two things are judged:

- In every snapshot, each row on its own: `v` is written as its type has it, generated columns are what they are
  generated from, numbers that were drawn once stay, indexes find what the table says. (`state_checker` holds
  indexes against tables in the end, entry for entry, and finds what failed changes leave.)
- In the end, all rows: what the commits of the log did, in their order, is the table as it is stored, and as every
  look saw it at its snapshot. No row is lost, doubled, or older than the last commit that wrote it.

A change that nobody disturbed has done what it says when it is acknowledged, and nothing when it failed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from history import History, Record
from observer import Violation
from sql_kills import BuilderKills
from sql_workload import PASSING, SqlWorkload, insist
from state_checker import State, named_rows

from trilithon.client.aio import AsyncClient, AsyncTransaction
from trilithon.client.errors import ConnectionLost, DatabaseError, OutcomeUnknown
from trilithon.client.result import Result

if TYPE_CHECKING:
    from cluster import ClientNode, Cluster

_ROWS = 24
_DIGITS = 10
_INT, _BIGINT, _TEXT = 23, 20, 25


class _Change(NamedTuple):
    """`column` has this type when it is done; 0: it is gone."""

    column: str
    type_oid: int
    sql: str


def _typed(column: str, name: str, oid: int, using: str) -> _Change:
    return _Change(column, oid, f"ALTER COLUMN {column} TYPE {name} USING {using}")


# Each may be made whatever the types are, and leaves the values alone. Those that divide by w - 3 fail where a
# row has a 3; so does what makes w, or a part of it, unique.
_TYPES = (
    _typed("v", "text", _TEXT, "'t' || ltrim(v::text, 't')"),
    _typed("v", "int", _INT, "ltrim(v::text, 't')::int"),
    _typed("u", "bigint", _BIGINT, "u + 0"),
    _typed("u", "int", _INT, "u + 0"),
    _typed("u", "bigint", _BIGINT, "CASE WHEN w = 3 THEN 1 / (w - 3) ELSE u END"),
)
_KEY_TYPE = _typed("id", "bigint", _BIGINT, "id + 0")
_NEW = {
    "g": "int GENERATED ALWAYS AS (w * 1000 + who % 1000) STORED",
    "d": "serial UNIQUE",
    "r": "int NOT NULL DEFAULT floor(random() * 1000000)::int",
    "x": "int GENERATED ALWAYS AS (1 / (w - 3)) STORED",
    "y": "int UNIQUE GENERATED ALWAYS AS (w) STORED",
}
_ADDED = tuple(_Change(name, _INT, f"ADD COLUMN {name} {rest}") for name, rest in _NEW.items())
_DRAWN = ("d", "r")
# What a row that the new form cannot take raises.
_REFUSED = frozenset({"22012", "23505"})

# w, u, who wrote it, who inserted it; by id.
Rows = dict[int, tuple[int, int | None, int, int]]
# None: the row is gone.
Effects = dict[int, tuple[int, int | None, int, int] | None]


class SqlRewriting(SqlWorkload):
    name = "rewriting"
    clients = 4
    pause_s = 0.03
    changes_share = 0.06
    schema = (
        "CREATE TABLE formed (id int PRIMARY KEY, w int NOT NULL, v int NOT NULL, u int UNIQUE, "
        "who int NOT NULL, born int NOT NULL)",
        "CREATE INDEX formed_v ON formed (v) INCLUDE (who)",
    )
    # The new form refuses a writer's row; a column is there, or gone; another job works on the table.
    expected = frozenset({"22012", "42701", "42703", "55006"})

    def __init__(self, cluster: Cluster, history: History) -> None:
        super().__init__(cluster, history)
        history.judges.append(self.judge)
        self._kills = BuilderKills(cluster, history)
        self._first: Rows = {n: (n % _DIGITS, n, 0, -1 - n) for n in range(_ROWS)}
        self._done: list[tuple[Record, Effects]] = []
        self._looks: list[tuple[Record, Rows]] = []
        # The value that a row got with a column, by the column's number and the row's birth.
        self._drawn: dict[tuple[int, int], Any] = {}
        # Changes begun; those under way; whether one may go on though its client has left it.
        self._begun = 0
        self._open = 0
        self._loose = False

    async def set_up(self, client: AsyncClient) -> None:
        await super().set_up(client)
        rows = ", ".join(
            f"({n}, {w}, {w}, {u}, {who}, {born})" for n, (w, u, who, born) in self._first.items()
        )
        await insist(client, f"INSERT INTO formed VALUES {rows}")

    async def step(self, node: ClientNode, source: random.Random) -> None:
        if source.random() < self.changes_share:
            await self._alter(node, source)
        elif source.random() < 0.25:
            await self._look(node, source)
        else:
            await self._write(node, source)

    # ---- changes

    async def _alter(self, node: ClientNode, source: random.Random) -> None:
        change = source.choice([*_TYPES, *_ADDED])
        if source.random() < 0.05:
            change = _KEY_TYPE
        elif change in _ADDED and source.random() < 0.4:
            change = _Change(change.column, 0, f"DROP COLUMN {change.column}")
        if self._open and source.random() < 0.8:
            return
        self._begun += 1
        number, alone = self._begun, not self._open and not self._loose
        self._open += 1
        try:
            before = await self._form(node.client) if alone else {}
            if self._kills.due() and source.random() < 0.6:
                self._kills.kill(source, 1.2)
            inside = source.random() < 0.15
            failed = await self._make(node.client, change, inside=inside)
            after = await self._form(node.client) if alone and not self._loose else {}
        except (ConnectionLost, DatabaseError) as error:
            if isinstance(error, DatabaseError) and error.sqlstate not in PASSING:
                raise
            return
        finally:
            self._open -= 1
        if not alone or self._loose or self._begun != number:
            return
        wanted = before if failed else _with(before, change)
        if after != wanted:
            self.violated(f"{change.sql} ({failed or 'done'}) made {after} of {before}")
        self.history.count("rewriting judged")

    async def _make(self, client: AsyncClient, change: _Change, *, inside: bool) -> str:
        """The SQLSTATE; empty: it is done. `inside`: a transaction block, which makes all rows itself."""
        state, sql = "", f"ALTER TABLE formed {change.sql}"
        try:
            if inside:
                async with client.transaction() as transaction:
                    await transaction.execute(sql)
            else:
                await client.execute(sql)
        except (OutcomeUnknown, ConnectionLost):
            state, self._loose = "lost", True
        except DatabaseError as error:
            state = error.sqlstate
            if state in PASSING - {"40001"}:
                # 57P03: its job goes on.
                self._loose = True
            elif state not in self.expected | _REFUSED | {"40001"}:
                raise
        how = " inside" if inside else ""
        self.history.count(f"rewriting {change.column} {state or 'done'}{how}")
        return state

    async def _form(self, client: AsyncClient) -> dict[str, int]:
        return _form_of(await client.execute("SELECT * FROM formed LIMIT 0"))

    # ---- writers

    async def _write(self, node: ClientNode, source: random.Random) -> None:
        effects: Effects = {}

        async def work(
            transaction: AsyncTransaction, record: Record, source: random.Random
        ) -> None:
            result = await self._see(transaction, record, "SELECT * FROM formed LIMIT 1")
            as_text = _form_of(result)["v"] == _TEXT
            for turn in range(source.choice([1, 1, 1, 2])):
                for sql in _statements(source, record.number, turn, as_text):
                    result = await self._see(transaction, record, sql)
                    _follow(effects, sql, result)

        record = await self.attempt(node, source, work, serializable=False)
        self._done.append((record, effects))

    async def _see(self, transaction: AsyncTransaction, record: Record, sql: str) -> Result:
        result = await transaction.execute(sql)
        record.id, record.snapshot_csn = transaction.id, transaction.snapshot_csn
        return result

    # ---- readers

    async def _look(self, node: ClientNode, source: random.Random) -> None:
        seen: list[Rows] = []

        async def work(
            transaction: AsyncTransaction, record: Record, source: random.Random
        ) -> None:
            result = await self._see(transaction, record, "SELECT * FROM formed")
            names = [column.name for column in result.columns]
            rows = [dict(zip(names, row, strict=True)) for row in result.rows]
            for text in wrong_rows(rows, _form_of(result)["v"] == _TEXT):
                self.violated(f"{record}: {text}")
            if any(name in _DRAWN for name in names):
                await self._check_drawn(transaction, record, rows)
            await self._check_found(transaction, record, source, rows)
            seen.append(as_rows(rows))

        record = await self.attempt(node, source, work, serializable=False)
        if seen and record.outcome == "read-only":
            self._looks.append((record, seen[0]))

    async def _check_found(
        self,
        transaction: AsyncTransaction,
        record: Record,
        source: random.Random,
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        """By every index the rows that the table has."""
        if not rows:
            return
        wanted = source.choice(rows)
        for name in ("id", "v", "u", *(one for one in ("d", "y") if one in wanted)):
            value = wanted[name]
            if value is None:
                continue
            text = f"'{value}'" if isinstance(value, str) else str(value)
            sql = f"SELECT id FROM formed WHERE {name} = {text}"
            found = sorted(row[0] for row in await self.query(transaction, record, sql))
            expected = sorted(row["id"] for row in rows if row[name] == value)
            if found != expected:
                self.violated(f"{record}: {name} = {text} found {found}, not {expected}")

    async def _check_drawn(
        self, transaction: AsyncTransaction, record: Record, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """What was drawn for a row once stays with it for as long as the column is there."""
        numbers = await self.query(
            transaction,
            record,
            "SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'formed'::regclass "
            "AND attname IN ('d', 'r') AND NOT attisdropped",
        )
        for name, number in numbers:
            for row in rows:
                value = self._drawn.setdefault((number, row["born"]), row[name])
                if row[name] != value:
                    self.violated(f"{record}: {name} of {row} was {value} before")

    # ---- in the end

    def judge(self, state: State, commits: Mapping[bytes, int]) -> None:
        """Raises Violation. `commits`: csns by transaction."""
        if not self._ready:
            return
        done = [(commits[one.id], effects) for one, effects in self._done if one.id in commits]
        done.sort(key=lambda one: one[0])
        looks = sorted(self._looks, key=lambda one: one[0].snapshot_csn)
        rows, at = dict(self._first), 0
        for record, seen in looks:
            while at < len(done) and done[at][0] <= record.snapshot_csn:
                _apply(rows, done[at][1])
                at += 1
            _compare(f"{record} saw", seen, rows)
        for _, effects in done[at:]:
            _apply(rows, effects)
        stored = named_rows(state, "formed")
        for text in wrong_rows(stored, any(isinstance(row["v"], str) for row in stored)):
            raise Violation(f"in the end {text}")
        _compare("in the end there is", as_rows(stored), rows)


def _with(form: dict[str, int], change: _Change) -> dict[str, int]:
    rest = {name: oid for name, oid in form.items() if name != change.column}
    return rest | {change.column: change.type_oid} if change.type_oid else rest


def _form_of(result: Result) -> dict[str, int]:
    return {column.name: column.type_oid for column in result.columns}


_RETURNING = "RETURNING id, w, u, who, born"


def _statements(source: random.Random, number: int, turn: int, as_text: bool) -> list[str]:
    key, new, w = source.randrange(_ROWS), source.randrange(_ROWS), source.randrange(_DIGITS)
    v = f"'t{w}'" if as_text else str(w)
    unique = source.choice([new, new, source.randrange(_ROWS), "NULL"])
    delete = f"DELETE FROM formed WHERE id = {key} {_RETURNING}"
    insert = (
        "INSERT INTO formed (id, w, v, u, who, born) VALUES "
        f"({new}, {w}, {v}, {unique}, {number}, {2 * number + turn}) ON CONFLICT DO NOTHING {_RETURNING}"
    )
    update = f"UPDATE formed SET who = {number}, "
    return source.choice(
        [
            [f"{update} w = {w}, v = {v} WHERE id IN ({key}, {key + 1}) {_RETURNING}"],
            [f"{update} w = {w}, v = {v} WHERE id = {key} {_RETURNING}"],
            [f"{update} u = u + 100 WHERE id IN ({key}, {key + 1}) {_RETURNING}"],
            [f"{update} u = {unique} WHERE id = {key} {_RETURNING}"],
            [delete],
            [delete, insert],
            [insert],
            # Away and back: a row that is new and has the old one's key.
            [delete, insert.replace(f"VALUES ({new},", f"VALUES ({key},")],
            # The row's key is part of its place in both forms.
            [f"/* {key} */ {update} id = {100 + new} WHERE id = {key} {_RETURNING}"],
            [f"/* {100 + key} */ {update} id = {key} WHERE id = {100 + key} {_RETURNING}"],
        ]
    )


def _follow(effects: Effects, sql: str, result: Result) -> None:
    for key, w, u, who, born in result.rows:
        if sql.startswith("/*"):
            effects[int(sql.split()[1])] = None
        effects[key] = None if sql.startswith("DELETE") else (w, u, who, born)


def _apply(rows: Rows, effects: Effects) -> None:
    for key, row in effects.items():
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row


def as_rows(rows: Sequence[Mapping[str, Any]]) -> Rows:
    return {row["id"]: (row["w"], row["u"], row["who"], row["born"]) for row in rows}


def wrong_rows(rows: Sequence[Mapping[str, Any]], as_text: bool) -> list[str]:
    """What is wrong with these rows, each on its own and one with another."""
    wrong = []
    for row in rows:
        w, who = row["w"], row["who"]
        expected = {
            "v": f"t{w}" if as_text else w,
            "g": w * 1000 + who % 1000,
            "x": {4: 1, 2: -1}.get(w, 0),
            "y": w,
        }
        for name, value in expected.items():
            if name in row and row[name] != value:
                wrong.append(f"{name} of {row} should be {value!r}")
        if row.get("x", 0) is not None and "x" in row and w == 3:
            wrong.append(f"nothing can be the x of {row}")
    for name in ("id", "u", "born", "d", "y"):
        values = [row[name] for row in rows if row.get(name) is not None]
        if len(set(values)) < len(values):
            wrong.append(f"{name} is not unique: {sorted(values)}")
    for name in _DRAWN:
        wrong += [f"{name} of {row} is NULL" for row in rows if row.get(name, 0) is None]
    return wrong


def _compare(words: str, seen: Rows, wanted: Rows) -> None:
    for key in sorted({*seen, *wanted}):
        if seen.get(key) != wanted.get(key):
            raise Violation(
                f"{words} {seen.get(key)} under id {key}; the commits make it {wanted.get(key)}"
            )
