"""What list-append clients did, as Elle reads it.

A transaction is a list of micro-operations: ("append", key, value) and ("r", key, [values]). Values are
unique. Its outcome is "ok", "fail" (surely not done) or "info" (nobody knows).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Micro = tuple[str, int, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One transaction. Times are seconds; `client` says who asked, for people."""

    process: int
    client: str
    invoked_s: float
    completed_s: float
    outcome: str
    micros: tuple[Micro, ...]


class History:
    """Operations from many threads, with one monotonic clock."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def now_s(self) -> float:
        return time.monotonic() - self._began

    def add(
        self, process: int, client: str, invoked_s: float, outcome: str, micros: Sequence[Micro]
    ) -> None:
        """Call it as soon as the outcome is known."""
        operation = Operation(process, client, invoked_s, self.now_s(), outcome, tuple(micros))
        with self._lock:
            self.operations.append(operation)


def to_elle(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """Invocations and completions in the order of their times, as elle-cli's list-append JSON.

    A process whose operation ended as "info" goes on under a new number, as Jepsen's do.
    """
    events: list[tuple[float, int, dict[str, Any]]] = []
    bumped: dict[int, int] = {}
    step = 1 + max((one.process for one in operations), default=0)
    for number, one in enumerate(sorted(operations, key=lambda one: one.invoked_s)):
        process = one.process + step * bumped.get(one.process, 0)
        if one.outcome == "info":
            bumped[one.process] = bumped.get(one.process, 0) + 1
        asked = [[kind, key, None if kind == "r" else value] for kind, key, value in one.micros]
        told = [list(micro) for micro in one.micros] if one.outcome == "ok" else asked
        for at_s, kind, value in (
            (one.invoked_s, "invoke", asked),
            (one.completed_s, one.outcome, told),
        ):
            event = {"type": kind, "f": "txn", "process": process, "value": value}
            events.append((at_s, number, event | {"time": int(at_s * 1e9)}))
    events.sort(key=lambda event: event[:2])
    return [event | {"index": index} for index, (_, _, event) in enumerate(events)]


def write_history(operations: Sequence[Operation], path: Path) -> None:
    """One JSON array, an event a line."""
    lines = ",\n".join(json.dumps(event) for event in to_elle(operations))
    path.write_text(f"[\n{lines}\n]\n", "utf-8")
