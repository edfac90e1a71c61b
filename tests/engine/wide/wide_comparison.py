"""A seed's steps on PostgreSQL and on the engine: what differs, as a small script.

Compared after every statement: SQLSTATE, tag, columns, rows (their order by the columns that they are ordered by)
and the state of the transaction. What SQL leaves open is no difference, see `is_open`; where such a thing happens
in a transaction both roll back, so that the tables stay the same.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from comparison import NEVER_AN_ANSWER, Outcome, _result, difference, is_refusal
from comparison import Step as Asked
from compat import Pair
from psycopg import pq
from wide_choice import as_literals, as_parameters
from wide_steps import Step, Steps

NUMERIC = 1700
# A statement that takes longer is printed.
SLOW_S = 4.0
TIMEOUT = b"set statement_timeout to '3s'"
_CHANGES = re.compile(r"^\s*(update|merge|with)\b", re.IGNORECASE)
# Of values that are equal (0 and 0.00) either may stand for all.
_EQUALS = re.compile(
    r"distinct|group by|union|intersect|except|max|min|greatest|least|using|natural|over|mode|percentile|partition",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Found:
    """One difference: the script up to it, made small, and both answers to its last statement."""

    what: str
    step: Step
    mine: Outcome
    other: Outcome
    script: list[str] = field(default_factory=list)

    def shown(self) -> str:
        script = ";\n".join(self.script or [as_literals(self.step.sql)])
        mode = "" if self.step.mode == "simple" else f" [{self.step.mode}: {self.step.sql}]"
        return (
            f"{self.what}{mode}\n{script};\n"
            f"    engine      {self.mine.shown()[:1500]}\n    PostgreSQL  {self.other.shown()[:1500]}"
        )


def ask(connection: pq.abc.PGconn, step: Step) -> Outcome:
    """The step's answer, in its mode. A binary answer's values are shown as hexadecimal text."""
    if step.mode == "simple":
        sql = as_literals(step.sql)
        return _result(connection, connection.exec_(sql.encode()), Asked(sql))
    sql, values, oids = as_parameters(step.sql)
    prepared = connection.prepare(b"", sql.encode(), oids)
    if prepared.status != pq.ExecStatus.COMMAND_OK:
        return _result(connection, prepared, Asked(sql))
    binary = step.mode == "binary"
    result = connection.exec_prepared(
        b"", [value.encode() for value in values], result_format=1 if binary else 0
    )
    if binary and result.status == pq.ExecStatus.TUPLES_OK:
        return _binary(result)
    return _result(connection, result, Asked(sql))


def _binary(result: pq.abc.PGresult) -> Outcome:
    def value(row: int, column: int) -> str | None:
        data = result.get_value(row, column)
        return None if data is None else data.hex()

    columns = tuple(
        ((result.fname(i) or b"").decode(), min(result.ftype(i), 16384), -1)
        for i in range(result.nfields)
    )
    rows = tuple(tuple(value(r, c) for c in range(result.nfields)) for r in range(result.ntuples))
    return Outcome("", "", (result.command_status or b"").decode(), columns, rows)


def is_open(sql: str, mine: Outcome, other: Outcome) -> bool:
    """Whether SQL leaves this difference open, or it is known: which of several violations is met first, and
    uniqueness, which PostgreSQL checks row by row and the engine at the end of the statement; FULL JOIN by any condition."""
    both = mine.sqlstate, other.sqlstate
    if all(state[:2] in ("21", "22", "23", "44") for state in both):
        return True
    if both == ("", "23505"):
        return bool(_CHANGES.match(sql))
    if other.sqlstate == "0A000" and "FULL JOIN" in other.message:
        return True
    return mine.sqlstate == "53200" or "57014" in both


def _plain_numeric(text: str | None, binary: bool) -> str | None:
    if text is None:
        return None
    if binary:
        # Equal numerics differ in their scale only: bytes 6 and 7.
        return text[:12] + text[16:]
    return text.rstrip("0").rstrip(".") if re.fullmatch(r"-?\d+\.\d+", text) else text


def compared(step: Step, mine: Outcome, other: Outcome) -> str:
    """What differs, in a word; "" when nothing."""
    for outcome in (mine, other):
        # PostgreSQL folds constants first, which may give a column a modifier.
        outcome.columns = tuple((name, oid, -1) for name, oid, _ in outcome.columns)
        if _EQUALS.search(step.sql):
            numeric = [oid == NUMERIC for _, oid, _ in outcome.columns]
            outcome.rows = tuple(
                tuple(
                    _plain_numeric(value, step.mode == "binary") if its else value
                    for value, its in zip(row, numeric, strict=True)
                )
                for row in outcome.rows
            )
    what = difference(step.sql, mine, other, False)
    if not what and step.ordered is not None and not mine.sqlstate:
        what = "" if _keys(step, mine) == _keys(step, other) else "order"
    return what


def _keys(step: Step, outcome: Outcome) -> list[list[str | None]]:
    """What the rows are ordered by."""
    binary = step.mode == "binary"
    return [
        [
            _plain_numeric(row[n], binary) if outcome.columns[n][1] == NUMERIC else row[n]
            for n in step.ordered or ()
        ]
        for row in outcome.rows
    ]


@dataclass(slots=True)
class Run:
    """Both sessions of a seed. `refused` counts by message what the engine cannot."""

    pair: Pair
    mine: pq.abc.PGconn
    other: pq.abc.PGconn
    statements: int = 0
    failed: int = 0
    # What was left open, by both SQLSTATEs.
    opened: Counter[str] = field(default_factory=Counter)
    refused: dict[str, int] = field(default_factory=dict)
    # The last statement was refused, or left open: the two went different ways.
    apart: bool = False

    def __post_init__(self) -> None:
        for connection in (self.mine, self.other):
            connection.exec_(TIMEOUT)

    def both(self, step: Step) -> tuple[str, Outcome, Outcome]:
        """(what differs, answers); an open difference is none, and ends the transaction on both sides."""
        self.statements += 1
        self.apart = False
        mine, other = (
            self._timed(self._watched, step),
            self._timed(lambda one: ask(self.other, one), step),
        )
        what = compared(step, mine, other)
        if other.sqlstate:
            self.failed += not what
        if not what and self.mine.transaction_status != self.other.transaction_status:
            what = "transaction state"
        if (
            what
            and mine.sqlstate != NEVER_AN_ANSWER
            and (is_refusal(mine, other) or is_open(step.sql, mine, other))
        ):
            if is_refusal(mine, other):
                self.refused[mine.message] = self.refused.get(mine.message, 0) + 1
            else:
                self.opened[f"{mine.sqlstate or 'answer'} / {other.sqlstate or 'answer'}"] += 1
            self.level()
            self.apart, what = True, ""
        return what, mine, other

    def _watched(self, step: Step) -> Outcome:
        with self.pair.watched():
            return ask(self.mine, step)

    def _timed(self, way: Callable[[Step], Outcome], step: Step) -> Outcome:
        began = time.monotonic()
        outcome = way(step)
        if (took := time.monotonic() - began) > SLOW_S:
            who = "PostgreSQL" if way != self._watched else "engine"
            print(f"slow ({took:.0f} s, {who}): {as_literals(step.sql)}", flush=True)
        return outcome

    def level(self) -> None:
        """Both out of their transaction, as one of them may have failed."""
        for connection in (self.mine, self.other):
            if connection.transaction_status != pq.TransactionStatus.IDLE:
                connection.exec_(b"rollback")

    @property
    def is_alive(self) -> bool:
        return self.mine.status == pq.ConnStatus.OK


def run_seed(
    pair: Pair, seed: int, groups: int, known: set[str] | None = None
) -> tuple[Run, list[Found]]:
    """`groups` groups of steps. A difference is made small; one that leaves the tables different ends the seed.
    `known` collects the engine's messages of differences: another one with the same message stays as it is."""
    from wide_reduction import Reduction

    steps = Steps(seed)
    found: list[Found] = []
    # What was done so far; a transaction that ended on its way is in it too, and shows again what it did.
    past: list[Step] = []
    with pair.sessions_of(f"wide_{seed}") as (mine, other):
        run = Run(pair, mine, other)
        pending: list[list[Step]] = [steps.setup(), *([] for _ in range(groups))]
        for index, group in enumerate(pending):
            in_transaction = False
            for step in group or (steps.next() if index else []):
                what, answer, expected = run.both(step)
                if what:
                    one = Found(what, step, answer, expected)
                    found.append(one)
                    is_new = known is None or answer.message not in known or not answer.message
                    if known is not None:
                        known.add(answer.message)
                    if is_new and len(found) <= 2:
                        Reduction(pair, f"wide_r{seed}", one, past).reduce()
                    if step.kind not in ("query", "contents") or not run.is_alive:
                        return run, found
                    run.level()
                    if step.kind == "contents":
                        return run, found
                if run.apart and step.kind != "query":
                    # Nothing of a transaction is left; what stood alone is only there on one side.
                    if in_transaction:
                        break
                    return run, found
                if step.kind not in ("query", "contents"):
                    past.append(step)
                in_transaction = run.mine.transaction_status != pq.TransactionStatus.IDLE
            if not run.is_alive or len(found) > 3:
                break
    return run, found
