"""The drills' history checker must notice what it is there for; and the form that Elle reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trilithon.cli.drill.history import Micro, Operation, to_elle, write_history
from trilithon.cli.drill.judge import judge


def op(at: tuple[float, float], *micros: Micro, outcome: str = "ok", process: int = 0) -> Operation:
    return Operation(process, f"client {process}", *at, outcome, micros)


def append(key: int, value: int) -> Micro:
    return ("append", key, value)


def read(key: int, *values: int) -> Micro:
    return ("r", key, list(values))


def violations(last: dict[int, list[int]], *operations: Operation) -> str:
    return "; ".join(judge(operations, last).violations)


def test_a_right_history_has_no_violation() -> None:
    verdict = judge(
        [
            op((0, 1), read(1), append(1, 1)),
            op((0.5, 2), read(2), append(2, 2), read(2, 2)),
            op((2.5, 3), read(1, 1), read(2, 2)),
            op((2.5, 3), append(1, 9), outcome="fail"),
            op((2.5, 3), append(1, 3), outcome="info"),
            op((3.5, 4), read(1, 1, 3)),
        ],
        {1: [1, 3], 2: [2]},
    )
    assert verdict.violations == []
    assert (verdict.transactions, verdict.reads, verdict.appends) == (4, 6, 2)


def test_write_skew_is_allowed_under_snapshot_isolation() -> None:
    one = op((0, 1), read(1), append(2, 1))
    other = op((0, 1), read(2), append(1, 2))
    assert not violations({1: [2], 2: [1]}, one, other)


@pytest.mark.parametrize(
    ("says", "last", "operations"),
    [
        ("has lost 1", {1: []}, [op((0, 1), append(1, 1))]),
        ("an append twice", {1: [1, 1]}, [op((0, 1), append(1, 1))]),
        ("refused to", {1: [1]}, [op((0, 1), append(1, 1), outcome="fail")]),
        ("nobody appended", {1: [5]}, [op((0, 1), read(1, 5))]),
        (
            "no prefix",
            {1: [1, 2]},
            [op((0, 1), append(1, 1)), op((0, 1), append(1, 2)), op((0, 3), read(1, 2))],
        ),
        (
            "half a transaction",
            {1: [1, 2]},
            [op((0, 1), append(1, 1), append(1, 2)), op((0, 1), read(1, 1))],
        ),
        ("did not see its own", {1: [1]}, [op((0, 1), append(1, 1), read(1))]),
    ],
)
def test_what_single_reads_show(
    says: str, last: dict[int, list[int]], operations: list[Operation]
) -> None:
    assert says in violations(last, *operations)


def test_a_lost_update_has_no_order() -> None:
    """Both read the empty list; only the first may commit."""
    found = violations(
        {1: [1, 2]},
        op((0, 1), read(1), append(1, 1), process=1),
        op((0, 1), read(1), append(1, 2), process=2),
    )
    assert found.startswith("no order fits")
    assert "client 2" in found
    assert "read list 1 without 1" in found


def test_a_stale_read_in_real_time_has_no_order() -> None:
    writer = op((0, 1), append(1, 1), process=1)
    assert not violations({1: [1]}, writer, op((0.9, 2), read(1), process=2))
    found = violations({1: [1]}, writer, op((1.1, 2), read(1), process=2))
    assert "read list 1 without 1, appended by client 1" in found


def test_what_somebody_saw_everyone_sees_from_then_on() -> None:
    """Even before it is acknowledged to its writer."""
    writer = op((0, 9), append(1, 1), process=1)
    saw = op((1, 2), read(1, 1), process=2)
    assert "no order fits" in violations({1: [1]}, writer, saw, op((3, 4), read(1), process=3))


def test_long_fork_and_read_skew_have_no_order() -> None:
    x, y = op((0, 9), append(1, 1)), op((0, 9), append(2, 2))
    one = op((0, 9), read(1, 1), read(2), process=3)
    other = op((0, 9), read(1), read(2, 2), process=4)
    assert "no order fits" in violations({1: [1], 2: [2]}, x, y, one, other)
    both = op((0, 9), append(1, 1), append(2, 2))
    assert "no order fits" in violations({1: [1], 2: [2]}, both, op((0, 9), read(1, 1), read(2)))


def test_the_export_is_in_elles_form(tmp_path: Path) -> None:
    operations = [
        op((0.0, 1.0), read(1), append(1, 1)),
        op((1.5, 2.0), append(1, 2), outcome="info"),
        op((2.5, 3.0), read(1, 1)),
    ]
    write_history(operations, tmp_path / "history.json")
    events = json.loads((tmp_path / "history.json").read_text())
    assert events == to_elle(operations)
    assert events[0]["value"] == [["r", 1, None], ["append", 1, 1]]
    assert events[1]["value"] == [["r", 1, []], ["append", 1, 1]]
    assert [event["type"] for event in events] == ["invoke", "ok", "invoke", "info", "invoke", "ok"]
    assert events[4]["process"] != events[2]["process"], "a process that knows nothing is gone"
    assert [event["index"] for event in events] == list(range(6))
