"""Random statements on both systems: what differs, made small.

A seed gives tables, rows and statements; the same seed gives the same ones.
"""

from __future__ import annotations

import random
import re

from comparison import Outcome, Step, ask, difference, is_refusal
from compat import Pair, Report, Wrong
from psycopg import pq
from random_forms import WideQueries
from random_queries import SCHEMA, Changes, rows
from shrinking import is_ordered, smaller

SHRINK_TRIES_MAX = 300
NUMERIC = 1700
# Of values that are equal (0 and 0.00) either may stand for all.
EQUALS = re.compile(r"distinct|group by|union|intersect|except|max|min", re.IGNORECASE)
TABLES = (("ra", "id"), ("rb", "k, id"), ("rc", "id"))
INDEXED = ("select id from ra where k = 3", "select id from rb where d > '2024-01-02'")


def _without_zeros(text: str | None) -> str | None:
    if text is None or not re.fullmatch(r"-?\d+\.\d+", text):
        return text
    return text.rstrip("0").rstrip(".")


class Round:
    """One seed's sessions on both systems, with a schema of its own."""

    def __init__(
        self, pair: Pair, report: Report, mine: pq.abc.PGconn, other: pq.abc.PGconn
    ) -> None:
        self.pair = pair
        self.report = report
        self.mine = mine
        self.other = other

    def both(self, sql: str) -> tuple[str, Outcome, Outcome]:
        """What differs ("" when nothing), and both answers. A refusal is no difference."""
        step = Step(sql)
        answer, expected = self.pair.ask_engine(self.mine, step), self._theirs(step)
        self.report.statements += 1
        for outcome in (answer, expected):
            # PostgreSQL folds constants first: `case when true then n end` has n's modifier there.
            outcome.columns = tuple((name, oid, -1) for name, oid, _ in outcome.columns)
            if NUMERIC in [oid for _, oid, _ in outcome.columns] and EQUALS.search(sql):
                outcome.rows = tuple(tuple(map(_without_zeros, row)) for row in outcome.rows)
        what = difference(sql, answer, expected, is_ordered(sql))
        if what and is_refusal(answer, expected):
            self.report.refused.append((sql, answer.shown()))
            what = ""
        elif not what:
            self.report.agree += 1
        return what, answer, expected

    def _theirs(self, step: Step) -> Outcome:
        return ask(self.other, step)

    def prepare(self, source: random.Random) -> None:
        for sql in (*SCHEMA, *rows(source)):
            what, answer, expected = self.both(sql)
            assert (what, answer.sqlstate) == ("", ""), (sql, answer, expected)

    def wrong(self, number: int, sql: str) -> None:
        """Notes the statement, as small as it can be made while the systems still differ in the same way."""
        first = self.both(sql)
        if not first[0]:
            return
        tries = SHRINK_TRIES_MAX

        def differs(text: str) -> bool:
            nonlocal tries
            tries -= 1
            if tries < 0 or self.mine.status != pq.ConnStatus.OK:
                return False
            what, answer, expected = self.both(text)
            return (
                what == first[0]
                and answer.sqlstate == first[1].sqlstate
                and expected.sqlstate == first[2].sqlstate
            )

        small = smaller(sql, differs)
        what, answer, expected = self.both(small)
        self.report.wrong.append(Wrong(self.report.heading, number, small, what, answer, expected))


def run_queries(pair: Pair, seed: int, count: int) -> Report:
    report = Report(f"random_queries_{seed}")
    with pair.sessions(f"random_queries_{seed}") as (mine, other):
        both = Round(pair, report, mine, other)
        both.prepare(random.Random(seed))
        queries = WideQueries(seed)
        for number in range(count):
            sql = queries.query()
            if both.both(sql)[0]:
                both.wrong(number, sql)
            if mine.status != pq.ConnStatus.OK:
                break
    return report


def run_changes(pair: Pair, seed: int, count: int) -> Report:
    """`count` statements within transactions; whole tables are compared after each."""
    report = Report(f"random_changes_{seed}")
    with pair.sessions(f"random_changes_{seed}") as (mine, other):
        both = Round(pair, report, mine, other)
        source = random.Random(seed)
        both.prepare(source)
        changes = Changes(seed)

        def check(sql: str) -> Outcome:
            what, answer, expected = both.both(sql)
            if what:
                report.wrong.append(Wrong(report.heading, 0, sql, what, answer, expected))
            return answer if answer.sqlstate else expected

        for _ in range(max(count // 10, 1)):
            check("begin isolation level repeatable read")
            failed = False
            for _ in range(source.randint(1, 5)):
                if check(changes.change()).sqlstate or check(changes.query()).sqlstate:
                    failed = True
                    break
            check("rollback" if failed or source.random() < 0.3 else "commit")
            for table, key in TABLES:
                check(f"select * from {table} order by {key}")
            for sql in INDEXED:
                check(sql)
            if report.wrong:
                break
    return report
