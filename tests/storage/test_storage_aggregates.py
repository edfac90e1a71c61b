"""Partial rows of groups: whatever the parts, budgets and waits, together they are the groups."""

from __future__ import annotations

import random
from typing import Any

import pytest
from storage_support import NO_DEADLINE, Model, Store, scratch_folder, update

from trilithon.expression import ir
from trilithon.expression.partial import Aggregation, PartialCall
from trilithon.expression.program import Program
from trilithon.storage import jobs
from trilithon.storage.aggregating import AggregateJob
from trilithon.storage.jobs import Step
from trilithon.storage.programs import PushedProgram
from trilithon.types.registry import INT4, INT8
from trilithon.types.rows import decode_row, decode_rows, encode_row, encode_wide_row
from trilithon.v1 import storage_pb2, types_pb2

VALUE = ir.Column(0, INT8)
GROUP = ir.Call("int8 % int8", (VALUE, ir.Constant(7, INT8)), INT8)
CALLS = (
    PartialCall("count()", ()),
    PartialCall("sum(int8)", (1,)),
    PartialCall("max(int8)", (1,), 2),
    PartialCall("avg(int8)", (1,)),
)
EVEN = ir.Call(
    "int8 = int8", (ir.Call("int8 % int8", (VALUE, ir.Constant(2, INT8)), INT8), ir.Constant(0, INT8)),
    ir.TRUE.type,
)  # fmt: skip
GROUPED = Program(projection=(GROUP, VALUE, EVEN), aggregation=Aggregation(1, CALLS))
COUNTED = Program(projection=(), aggregation=Aggregation(0, (PartialCall("count()", ()),)))


def merged(parts: list[Any]) -> dict[int, list[Any]]:
    """By group: count, sum, greatest even value, (count, sum)."""
    groups: dict[int, list[Any]] = {}
    for group, count, total, greatest, (number, average) in parts:
        have = groups.setdefault(group, [0, 0, None, 0, 0])
        have[0] += count
        have[1] += total
        known = [one for one in (have[2], greatest) if one is not None]
        have[2] = max(known, default=None)
        have[3] += number
        have[4] += average
    return groups


def expected(values: list[int]) -> dict[int, list[Any]]:
    parts = [(v % 7, 1, v, None if v % 2 else v, (1, v)) for v in values]
    return merged(parts)


def ask(store: Store, program: Program, snapshot: int, chunk_bytes: int, budget: int) -> list[Any]:
    """All parts of everything, resumed as a reader would; settles what is waited for."""
    pushed = PushedProgram(Program.from_bytes(program.to_bytes()))
    start, rows = b"", []
    while True:
        request = storage_pb2.RangeRead(
            snapshot_csn=snapshot, range=types_pb2.KeyRange(start=start), chunk_bytes=chunk_bytes
        )
        job = AggregateJob(None, 1, request, pushed, NO_DEADLINE)
        while (step := store.run(job, budget)) is not Step.ANSWERED:
            assert step is Step.WAIT_ENTRY
            store.machine.feed(update(settled=job.wait_csn))
        reply = job.reply.range_rows
        rows += decode_rows(reply.rows)
        if not reply.resume_key:
            return rows
        assert reply.resume_key > start, "a scan makes progress"
        start = reply.resume_key


@pytest.mark.parametrize("seed", range(6))
def test_parts_of_any_size_make_the_groups(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    source = random.Random(seed)
    monkeypatch.setattr(jobs, "EXAMINED_PER_REPLY_MAX", source.choice((5, 90, 20_000)))
    with scratch_folder() as folder:
        store, model = Store(folder), Model()
        wide = (1 << 62) if seed % 2 else 1
        settled = 0
        for csn in range(1, 60):
            writes = {
                source.randrange(300).to_bytes(2, "big"): source.choice(
                    (None, source.randrange(1000) * wide)
                )
                for _ in range(20)
            }
            writes = {key: None if v is None else v % (1 << 63) for key, v in writes.items()}
            settled = csn if csn < 50 else settled
            store.machine.feed(update(model.write(csn, writes), settled=settled))
            if csn == 30:
                store.apply()
        for snapshot in (1, 29, 45, 59):
            values = [value for _, value in model.scan(snapshot, b"", b"")]
            for chunk_bytes, budget in ((1, 1), (500, 40), (0, 1 << 30)):
                parts = ask(store, GROUPED, snapshot, chunk_bytes, budget)
                assert merged(parts) == expected(values)
                counts = ask(store, COUNTED, snapshot, chunk_bytes, budget)
                assert sum(row[0] for row in counts) == len(values)
        store.engine.close()


def test_a_reply_holds_few_groups(tmp_path: Any) -> None:
    program = Program(
        projection=(VALUE,), aggregation=Aggregation(1, (PartialCall("count()", ()),))
    )
    with scratch_folder() as folder:
        store, model = Store(folder), Model()
        writes = {number.to_bytes(2, "big"): number for number in range(5_000)}
        store.machine.feed(update(model.write(1, writes), settled=1))
        request = storage_pb2.RangeRead(snapshot_csn=1, chunk_bytes=20_000)
        job = AggregateJob(None, 1, request, PushedProgram(program), NO_DEADLINE)
        assert store.run(job, 100) is Step.ANSWERED
        assert 0 < len(decode_rows(job.reply.range_rows.rows)) < 500
        assert job.reply.range_rows.resume_key
        store.engine.close()


@pytest.mark.parametrize(
    "aggregation",
    [
        Aggregation(2, CALLS[:1]),
        Aggregation(-1, ()),
        Aggregation(0, (PartialCall("sum(int8)", ()),)),
        Aggregation(0, (PartialCall("sum(int8)", (1,)),)),
        Aggregation(0, (PartialCall("sum(int8)", (0,), 5),)),
        Aggregation(0, (PartialCall("sum(float8)", (0,)),)),
        Aggregation(0, (PartialCall("array_agg(anynonarray)", (0,)),)),
        Aggregation(0, (PartialCall("no such", (0,)),)),
    ],
)
def test_what_does_not_fit_is_no_program(aggregation: Aggregation) -> None:
    data = Program(projection=(VALUE,), aggregation=aggregation).to_bytes()
    with pytest.raises(ValueError, match="not a program"):
        Program.from_bytes(data)


def test_programs_survive_the_way() -> None:
    for program in (GROUPED, COUNTED, Program(projection=(ir.Column(0, INT4),))):
        assert Program.from_bytes(program.to_bytes()) == program
    wide = (1 << 70, -(1 << 64), (3, (1 << 64) - 1), None)
    assert decode_row(encode_wide_row(wide)) == list(wide)
    assert encode_wide_row((1, "a", None)) == encode_row((1, "a", None))
