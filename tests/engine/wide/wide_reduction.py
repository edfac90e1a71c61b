"""Makes a script smaller as long as its last statement still shows the same difference.

First the last statement itself (see shrinking.py), then what stands before it: rows one by one, statements in
halves, quarters, and so on. Each try runs in a fresh schema on both systems.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from compat import Pair
from psycopg import pq
from shrinking import smaller
from wide_choice import as_literals
from wide_comparison import Found, Run
from wide_steps import Step

# Of scripts in a fresh schema; of the last statement alone.
TRIES_MAX = 100
LAST_TRIES_MAX = 250
_ROWS = re.compile(r"^(insert into \w+ \([^)]*\) values )(\(.*\))( on conflict do nothing)$")


class Reduction:
    def __init__(self, pair: Pair, schema: str, found: Found, past: Sequence[Step]) -> None:
        self.pair = pair
        self.schema = schema
        self.found = found
        self.past = list(past)
        self.tries = TRIES_MAX

    def reduce(self) -> None:
        """Fills the found difference's script. Without one that shows it again the whole script stays."""
        self.past = self._single_rows(self.past)
        if not self._shows(self.past, self.found.step):
            self.found.script = [as_literals(step.sql) for step in (*self.past, self.found.step)]
            self.found.what += " (does not show again in a fresh schema)"
            return
        literal = Step(
            as_literals(self.found.step.sql),
            self.found.step.kind,
            "simple",
            self.found.step.ordered,
        )
        if self._shows(self.past, literal):
            self.found.step = literal
        if self.found.step.mode == "simple":
            self._last()
        self._statements()
        self._shows(self.past, self.found.step, keep=True)
        self.found.script = [as_literals(step.sql) for step in (*self.past, self.found.step)]

    def _single_rows(self, steps: list[Step]) -> list[Step]:
        result = []
        for step in steps:
            matched = _ROWS.match(step.sql)
            if not matched:
                result.append(step)
                continue
            rows = re.findall(r"\((?:'(?:[^']|'')*'|[^()'])*\)", matched[2])
            result += [Step(f"{matched[1]}{row}{matched[3]}", "setup") for row in rows]
        return result

    def _statements(self) -> None:
        size = max(len(self.past) // 2, 1)
        while size:
            start = 0
            while start < len(self.past) and self.tries > 0:
                fewer = self.past[:start] + self.past[start + size :]
                if self._shows(fewer, self.found.step):
                    self.past = fewer
                else:
                    start += size
            size //= 2

    def _last(self) -> None:
        """The last statement alone, in the sessions that ran what stands before."""
        step = self.found.step
        if step.kind not in ("query", "contents"):

            def shows(text: str) -> bool:
                return self._shows(self.past, Step(text, step.kind))

            self.found.step = Step(smaller(step.sql, shows), step.kind)
            return
        with self.pair.sessions_of(self.schema) as (mine, other):
            run = Run(self.pair, mine, other)
            for one in self.past:
                run.both(one)

            tries = LAST_TRIES_MAX

            def differs(text: str) -> bool:
                nonlocal tries
                tries -= 1
                if tries < 0 or not run.is_alive:
                    return False
                return self._same(
                    run,
                    Step(
                        text,
                        step.kind,
                        "simple",
                        step.ordered if self.found.what == "order" else None,
                    ),
                )

            small = Step(smaller(step.sql, differs), step.kind)
        if small.sql != step.sql and self._shows(self.past, small):
            self.found.step = small

    def _same(self, run: Run, step: Step) -> bool:
        """Whether both answer in the way of the found difference."""
        try:
            what, mine, other = run.both(step)
        except (IndexError, UnicodeError):
            return False
        if step.kind in ("query", "contents") and mine.sqlstate:
            run.level()
        return (
            what == self.found.what
            and mine.sqlstate == self.found.mine.sqlstate
            and other.sqlstate == self.found.other.sqlstate
        )

    def _shows(self, past: Sequence[Step], last: Step, *, keep: bool = False) -> bool:
        self.tries -= 1
        if self.tries < 0 and not keep:
            return False
        with self.pair.sessions_of(self.schema) as (mine, other):
            run = Run(self.pair, mine, other)
            for step in past:
                what, answer, expected = run.both(step)
                if (what or run.apart) and step.kind != "query":
                    return False
            if keep:
                what, answer, expected = run.both(last)
                if what:
                    self.found.mine, self.found.other = answer, expected
                return bool(what)
            shown = self._same(run, last)
            if mine.status != pq.ConnStatus.OK:
                return self.found.mine.sqlstate == "gone"
            return shown
