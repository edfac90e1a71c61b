"""The differential corpus on PostgreSQL 15 and on the engine: `make compat`.

    python tests/engine/compat.py [--seeds N] [--first-seed N] [heading ...]

Prints per heading how many statements agree, are refused or are wrong, every wrong one with both answers, and
the shares. Ends with 1 when something is wrong that known_differences.txt does not name with a reason.
With --seeds it also runs that many seeds of random schemas, queries and changes (wide/wide_run.py); with
--expressions that many random calls of each function, operator and cast, seeded by --first-seed.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "wide"))
sys.path.insert(0, str(Path(__file__).parent.parent / "expression"))

from comparison import Outcome, Step, ask, difference, is_refusal, session
from corpus_text import headings, name_of, read
from engine_process import running_engine
from psycopg import pq

KNOWN = Path(__file__).parent / "known_differences.txt"
# A statement that takes longer on the engine is a defect; its process is killed.
PATIENCE_S = 30.0
SETTINGS = ("set timezone to 'Europe/Berlin'", "set client_min_messages to error")


@dataclass(slots=True)
class Wrong:
    heading: str
    number: int
    sql: str
    what: str
    mine: Outcome
    other: Outcome

    def shown(self) -> str:
        return (
            f"{self.heading}:{self.number} ({self.what}) {self.sql}\n"
            f"    engine      {self.mine.shown()}\n    PostgreSQL  {self.other.shown()}"
        )


@dataclass(slots=True)
class Report:
    """One heading's counts. `known` are wrong ones that known_differences.txt explains."""

    heading: str
    statements: int = 0
    agree: int = 0
    worded: int = 0
    failing: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    known: list[Wrong] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    # Statements that agree, and still stand in known_differences.txt.
    mended: list[str] = field(default_factory=list)


def known_differences() -> dict[str, str]:
    """statement -> reason; the file has pairs of lines: `# reason`, then the statements it explains."""
    known: dict[str, str] = {}
    reason = ""
    for line in KNOWN.read_text("utf-8").splitlines():
        if line.startswith("# "):
            reason = line[2:]
        elif line.strip():
            known[line] = reason
    return known


class Pair:
    """Both systems, each with a session per heading."""

    def __init__(self, postgresql: str, *, tight: bool = False) -> None:
        self.postgresql = postgresql
        self.tight = tight
        self.engine_process: subprocess.Popen[str] | None = None
        self._stack = contextlib.ExitStack()
        self._engine = ""

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def engine(self) -> str:
        if self.engine_process is None or self.engine_process.poll() is not None:
            host, port, process = self._stack.enter_context(running_engine(tight=self.tight))
            self.engine_process = process
            self._engine = f"host={host} port={port} user=postgres dbname=postgres sslmode=disable"
        return self._engine

    @contextlib.contextmanager
    def sessions(self, schema: str) -> Iterator[tuple[pq.abc.PGconn, pq.abc.PGconn]]:
        own = (f"create schema {schema}", f"set search_path to {schema}")
        with (
            session(self.engine(), (*SETTINGS, *own)) as mine,
            session(self.postgresql, (*SETTINGS, *own)) as other,
        ):
            yield mine.pgconn, other.pgconn

    @contextlib.contextmanager
    def sessions_of(self, schema: str) -> Iterator[tuple[pq.abc.PGconn, pq.abc.PGconn]]:
        """As `sessions`; the schema is made anew, and is gone afterwards."""
        drop = f"drop schema if exists {schema} cascade"
        for conninfo in (self.engine(), self.postgresql):
            with session(conninfo, (SETTINGS[1], drop)):
                pass
        with self.sessions(schema) as both:
            yield both

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Kills the engine if this takes longer than its patience."""
        assert self.engine_process is not None
        watch = threading.Timer(PATIENCE_S, self.engine_process.kill)
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def ask_engine(self, connection: pq.abc.PGconn, step: Step) -> Outcome:
        with self.watched():
            return ask(connection, step)


def run_heading(pair: Pair, path: Path, known: dict[str, str]) -> Report:
    report = Report(name_of(path))
    refused_block = -1
    lines = read(path)
    with pair.sessions(f"compat_{report.heading}") as (mine, other):
        for line in lines:
            step = line.step
            report.statements += 1
            answer, expected = pair.ask_engine(mine, step), ask(other, step)
            what = difference(step.sql, answer, expected)
            if not what:
                report.agree += 1
                if step.sql in known:
                    report.mended.append(step.sql)
                if answer.sqlstate:
                    report.failing += 1
                    report.worded += answer.message == expected.message
                continue
            if is_refusal(answer, expected) or line.block == refused_block:
                report.refused.append((step.sql, answer.shown()))
                if not step.sql.lower().startswith(("select", "values", "with")):
                    refused_block = line.block
                continue
            wrong = Wrong(report.heading, line.number, step.sql, what, answer, expected)
            (report.known if step.sql in known else report.wrong).append(wrong)
            if mine.status != pq.ConnStatus.OK:
                break
    return report


def shown(reports: list[Report]) -> str:
    """The table, and the total's shares."""
    rows = [f"{'heading':<28}{'statements':>11}{'agree':>8}{'refused':>9}{'known':>7}{'wrong':>7}"]
    for r in reports:
        rows.append(
            f"{r.heading:<28}{r.statements:>11}{r.agree:>8}{len(r.refused):>9}{len(r.known):>7}{len(r.wrong):>7}"
        )
    total = sum(r.statements for r in reports) or 1
    agree = sum(r.agree for r in reports)
    refused = sum(len(r.refused) for r in reports)
    known = sum(len(r.known) for r in reports)
    wrong = sum(len(r.wrong) for r in reports)
    failing = sum(r.failing for r in reports) or 1
    rows.append(f"{'total':<28}{total:>11}{agree:>8}{refused:>9}{known:>7}{wrong:>7}")
    rows.append(
        f"{agree / total:.2%} agree, {refused / total:.2%} refused, {(known + wrong) / total:.2%} differ; of the errors "
        f"that agree, {sum(r.worded for r in reports) / failing:.2%} have PostgreSQL's words"
    )
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--expressions", type=int, default=0)
    parser.add_argument("--refused", action="store_true", help="list what was refused")
    parser.add_argument("headings", nargs="*")
    arguments = parser.parse_args()
    from postgresql_oracle import OPTIONS
    from postgresql_server import running_server

    known = known_differences()
    paths = [p for p in headings() if not arguments.headings or name_of(p) in arguments.headings]
    with running_server(OPTIONS) as port:
        conninfo = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        with Pair(conninfo) as pair:
            reports = [run_heading(pair, path, known) for path in paths]
            for report in reports:
                for wrong in report.wrong:
                    print(wrong.shown())
                for sql in report.mended:
                    print(f"agrees now, remove it from {KNOWN.name}: {sql}")
                if arguments.refused:
                    for sql, answer in report.refused:
                        print(f"refused {report.heading}: {sql}\n    {answer}")
            print(shown(reports))
            if arguments.expressions:
                from random_expressions import run_expressions

                found = run_expressions(pair, arguments.first_seed, arguments.expressions)
                for wrong in found.wrong:
                    print(wrong.shown())
                print(
                    f"{found.statements} random calls, {found.agree} agree, {len(found.wrong)} wrong"
                )
            bad = any(report.wrong for report in reports)
            if arguments.seeds:
                from wide_run import rounds

                bad |= rounds(pair, arguments.first_seed, arguments.seeds) > 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
