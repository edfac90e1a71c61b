"""The history of a simulated cluster's list-append, as an outside checker gets it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from run import Outcome, Plan, simulate

from trilithon.cli.drill.history import Operation, write_history
from trilithon.cli.drill.judge import judge

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return simulate(11, Plan("two", 6.0, sql=True, sql_workloads=["append"]))


def test_the_exported_history_is_what_the_clients_did(outcome: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    write_history(outcome.operations, path)
    events: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    kinds = Counter(event["type"] for event in events)
    assert kinds.pop("invoke") == len(outcome.operations)
    assert kinds == Counter(one.outcome for one in outcome.operations)
    assert kinds["ok"] > 20
    assert [event["index"] for event in events] == list(range(len(events)))
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    open_: dict[int, list[Any]] = {}
    for event in events:
        shape = [micro[:2] for micro in event["value"]]
        if event["type"] == "invoke":
            assert event["process"] not in open_, "a process does one thing at a time"
            assert all(micro[2] is None for micro in event["value"] if micro[0] == "r")
            open_[event["process"]] = shape
        elif event["type"] == "info":
            assert open_[event["process"]] == shape, "and nothing more after it has lost one"
        else:
            assert open_.pop(event["process"]) == shape


def test_the_judge_holds_with_the_run_and_refuses_what_was_tampered_with(outcome: Outcome) -> None:
    assert judge(outcome.operations, outcome.lists).violations == []
    for broken in (
        _without_the_last_of_a_read(outcome.operations),
        _refused_after_all(outcome.operations),
        _read_by_nobody(outcome.operations),
    ):
        assert judge(broken, outcome.lists).violations


def _changed(operations: list[Operation], index: int, micro: int, value: Any) -> list[Operation]:
    one = operations[index]
    micros = list(one.micros)
    micros[micro] = (micros[micro][0], micros[micro][1], value)
    return [*operations[:index], replace(one, micros=tuple(micros)), *operations[index + 1 :]]


def _long_read(operations: list[Operation]) -> tuple[int, int, list[int]]:
    return max(
        (
            (index, place, list(value))
            for index, one in enumerate(operations)
            if one.outcome == "ok" and len(one.micros) == 1
            for place, (kind, _, value) in enumerate(one.micros)
            if kind == "r"
        ),
        key=lambda found: len(found[2]),
    )


def _without_the_last_of_a_read(operations: list[Operation]) -> list[Operation]:
    """Stale: it was acknowledged to somebody before."""
    index, place, value = _long_read(operations)
    return _changed(operations, index, place, value[:1])


def _refused_after_all(operations: list[Operation]) -> list[Operation]:
    for index, one in enumerate(operations):
        if one.outcome == "ok" and any(kind == "append" for kind, _, _ in one.micros):
            refused = replace(one, outcome="fail")
            return [*operations[:index], refused, *operations[index + 1 :]]
    raise AssertionError("nothing was appended")


def _read_by_nobody(operations: list[Operation]) -> list[Operation]:
    index, place, value = _long_read(operations)
    return _changed(operations, index, place, [*value, 1_000_000])
