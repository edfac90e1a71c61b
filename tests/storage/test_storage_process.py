"""A storage process as its neighbours see it: feed in, reads out, over the local network."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from storage_journal import cluster, point, range_read, until
from storage_support import csn, entry, row, scratch_folder, update

from trilithon.disk import DiskFull
from trilithon.expression import functions, ir
from trilithon.expression.partial import Aggregation, PartialCall
from trilithon.expression.program import Program
from trilithon.storage.jobs import POINT_KEYS_MAX
from trilithon.storage.machine import KEY_BYTES_MAX, slot_of
from trilithon.types import keys
from trilithon.types.registry import INT4, TypeRef
from trilithon.types.rows import decode_rows
from trilithon.v1 import storage_pb2, types_pb2

Failure = types_pb2.Failure


def key(number: int, table: int = 16384) -> bytes:
    return keys.key_prefix(table, 0) + keys.encode_columns([INT4], [number])


@pytest.fixture
def folder() -> Any:
    with scratch_folder() as path:
        yield path


def values(reply: storage_pb2.StorageReply) -> list[Any]:
    assert reply.WhichOneof("reply") in ("point_rows", "range_rows"), reply
    blob = reply.point_rows.rows or reply.range_rows.rows
    return [None if one is None else one[0] for one in decode_rows(blob)]


def failure(reply: storage_pb2.StorageReply) -> Any:
    assert reply.WhichOneof("reply") == "failure", reply
    return reply.failure.code


async def waiting(process: Any, count: int = 1) -> None:
    await until(lambda: len(process.machine.waiters) == count)


async def test_reads_what_is_settled_and_starts_again_where_it_was(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0))
        c.journal.write(csn(1), (key(1), row("one")), (key(2), row("two")))
        c.journal.write(csn(2), (key(1), None), (key(3), row("three")))
        assert values(await c.ask(point(csn(1), key(1), key(2), key(3)))) == ["one", "two", None]
        assert values(await c.ask(point(csn(2), key(1), key(3)))) == [None, "three"]
        assert values(await c.ask(range_read(csn(2)))) == ["two", "three"]
        assert values(await c.ask(range_read(csn(1), reverse=True))) == ["two", "one"]
        await until(lambda: process.machine.applied == csn(2))
        status = await c.status()
        assert (status.state, status.journal, status.problem) == ("following", "journal-0:1", "")
        assert (status.position_csn, status.applied_csn) == (csn(2), csn(2))
        assert status.identity.role == "storage"
        assert process.metrics()["applied_csn"] == csn(2)

        await c.stop_storage()
        c.journal.write(csn(3), (key(4), row("four")))
        await c.start_storage()
        found = await c.ask(range_read(csn(3), with_keys=True))
        assert values(found) == ["two", "three", "four"]
        assert list(found.range_rows.keys) == [key(2), key(3), key(4)]
        assert c.journal.subscribed_after == [0, csn(2)]


async def test_applied_is_reported_once_durable(folder: Path) -> None:
    async with cluster(folder, journals=2) as c:
        await c.start_storage()
        for journal in c.journals:
            journal.write(csn(0))
            journal.write(csn(1), (key(1), row(1)))
        await until(lambda: all(one.applied.get("storage-0") == csn(1) for one in c.journals))


async def test_waits_for_the_feed(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0))
        reading = asyncio.create_task(c.ask(point(csn(2), key(1))))
        scanning = asyncio.create_task(c.ask(range_read(csn(2))))
        await waiting(process, 2)
        c.journal.write(csn(1), (key(1), row("old")))
        await until(lambda: process.machine.position == csn(1))
        assert not reading.done()
        c.journal.write(csn(2), (key(1), row("new")))
        assert values(await reading) == ["new"]
        assert values(await scanning) == ["new"]


async def test_waits_for_the_touched_unsettled_entry_alone(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0), (key(1), row(0)), (key(2), row(0)), (key(9), row(0)))
        c.journal.write(csn(1), (key(1), row(1)), settled=False)
        c.journal.write(csn(2), (key(2), row(2)), settled=False)
        c.journal.write(csn(3), (key(3), row(3)), settled=False)
        # Untouched keys and older snapshots answer at once.
        assert values(await c.ask(point(csn(3), key(9)))) == [0]
        assert values(await c.ask(point(csn(0), key(1), key(2), key(3)))) == [0, 0, None]
        assert values(await c.ask(range_read(csn(3), key(4), key(10)))) == [0]
        assert values(await c.ask(range_read(csn(1), key(2), key(10)))) == [0, 0]
        first = asyncio.create_task(c.ask(point(csn(3), key(1))))
        second = asyncio.create_task(c.ask(point(csn(3), key(2), key(1))))
        speculative = asyncio.create_task(c.ask(point(0, key(3))))
        scan = asyncio.create_task(c.ask(range_read(csn(2))))
        await waiting(process, 4)
        c.journal.settle(csn(1))
        assert values(await first) == [1]
        assert not second.done()
        c.journal.settle(csn(2))
        assert values(await second) == [2, 1]
        assert values(await scan) == [1, 2, 0]
        assert not speculative.done()
        c.journal.settle(csn(3))
        answer = (await speculative).point_rows
        assert (answer.examined_csn, answer.position_csn) == (csn(3), csn(3))


async def test_an_entry_that_is_cut_away_just_disappears(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0), (key(1), row("kept")))
        c.journal.write(csn(1), (key(1), row("cut")), settled=False)
        reading = asyncio.create_task(c.ask(point(csn(1), key(1))))
        await waiting(process)
        c.journal.push(update(cut_to=csn(0)))
        await until(lambda: process.machine.position == csn(0))
        # The snapshot is above what there is now: the next epoch's first entry tells.
        assert not reading.done()
        start = entry(csn(0, 2), csn(0))
        c.journal.push(update(start, settled=csn(0, 2)))
        assert values(await reading) == ["kept"]


async def test_a_new_subscription_never_shows_a_gap(folder: Path) -> None:
    """Unsettled entries that come again later must not be missed in between."""
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0), (key(1), row("old")))
        c.journal.write(csn(1), (key(1), row("new")), settled=False)
        await until(lambda: process.machine.position == csn(1))
        held, c.journal.log = c.journal.log, c.journal.log[:1]
        c.network.cut("journal-0:1")
        c.network.heal("journal-0:1")
        # The new feed starts with what is settled: the position falls, the read waits.
        await until(lambda: len(c.journal.subscribed_after) == 2)
        assert c.journal.subscribed_after == [0, csn(0)]
        await until(lambda: process.machine.position == csn(0))
        reading = asyncio.create_task(c.ask(point(csn(1), key(1))))
        await waiting(process)
        c.journal.push(update(held[1], settled=csn(1)))
        assert values(await reading) == ["new"]


async def test_reads_go_on_while_the_journal_is_away(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0), (key(1), row("settled")))
        c.journal.write(csn(1), (key(2), row("unsettled")), settled=False)
        await until(lambda: process.machine.position == csn(1))
        c.network.cut("journal-0:1")
        await until(lambda: not process.feed.journal)
        assert values(await c.ask(point(csn(1), key(1)))) == ["settled"]
        assert (await c.status()).state == "waiting_for_feed"
        reading = asyncio.create_task(c.ask(point(csn(1), key(2))))
        await waiting(process)
        c.network.heal("journal-0:1")
        c.journal.settle(csn(1))
        assert values(await reading) == ["unsettled"]


async def test_another_journal_of_the_region_takes_over(folder: Path) -> None:
    async with cluster(folder, journals=2) as c:
        process = await c.start_storage()
        for journal in c.journals:
            journal.write(csn(0), (key(1), row(1)))
        await until(lambda: process.feed.journal == "journal-0:1" and process.machine.position)
        c.network.cut("journal-0:1")
        c.journals[1].write(csn(1), (key(1), row(2)))
        assert values(await c.ask(point(csn(1), key(1)))) == [2]
        assert process.feed.journal == "journal-1:1"


async def test_a_journal_that_says_nothing_is_left_for_another(folder: Path) -> None:
    async with cluster(folder, journals=2) as c:
        process = await c.start_storage()
        for journal in c.journals:
            journal.write(csn(0), (key(1), row(1)))
        await until(lambda: process.feed.journal == "journal-0:1")
        c.journals[1].write(csn(1), (key(1), row(2)))
        assert values(await c.ask(point(csn(1), key(1)))) == [2]


async def test_impossible_snapshots_end_in_time(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage(wait_s=0.2)
        c.journal.write(csn(0))
        c.journal.write(csn(1), (key(1), row(1)), settled=False)
        await until(lambda: process.machine.position == csn(1))
        answers = await asyncio.gather(
            c.ask(point((1 << 64) - 1, key(1))),
            c.ask(range_read(csn(5, 1 << 20))),
            c.ask(point(csn(1), key(1))),
        )
        assert [failure(one) for one in answers] == [Failure.CODE_UNAVAILABLE] * 3
        assert "not settled" in answers[2].failure.message
        assert len(process.machine.waiters) == 0
        assert process.service.open_count == 0


async def test_cancelled_and_disconnected_reads_are_forgotten(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0))
        request = point(csn(9), key(1))
        reading = asyncio.create_task(c.ask(request))
        await waiting(process)
        cancel = storage_pb2.Cancel(correlation_id=request.correlation_id)
        c.link().post(storage_pb2.StorageRequest(cancel=cancel))
        assert failure(await reading) == Failure.CODE_UNAVAILABLE
        c.link().post(storage_pb2.StorageRequest(cancel=storage_pb2.Cancel(correlation_id=77)))
        lost = asyncio.create_task(c.ask(point(csn(9), key(1))))
        await waiting(process, 2)
        await c.links.pop("storage-0").close()
        await asyncio.wait([lost])
        await until(lambda: len(process.machine.waiters) == 0)
        assert process.service.open_count == 0


async def test_bad_requests_get_a_clear_failure_and_harm_nobody(folder: Path) -> None:
    async with cluster(folder) as c:
        mine = [one for one in map(key, range(40)) if slot_of(one) <= 511]
        foreign = next(one for one in map(key, range(40)) if slot_of(one) > 511)
        await c.start_storage(slots=(0, 511))
        c.journal.write(csn(0), (mine[0], row(1)), (foreign, row(2)))
        cases = [
            (point(csn(0), foreign), Failure.CODE_WRONG_TARGET),
            (point(csn(0), mine[0], b""), Failure.CODE_INVALID),
            (point(csn(0), b"x" * (KEY_BYTES_MAX + 1)), Failure.CODE_INVALID),
            (point(csn(0), *[mine[0]] * (POINT_KEYS_MAX + 1)), Failure.CODE_INVALID),
            (point(csn(0), mine[0], program=b"garbage"), Failure.CODE_INVALID),
            (point(csn(0), mine[0], program=b"x" * (3 << 20)), Failure.CODE_INVALID),
            (range_read(csn(0), b"a" * 4000), Failure.CODE_INVALID),
            (range_read(csn(0), program=b"\x90"), Failure.CODE_INVALID),
            (storage_pb2.StorageRequest(), Failure.CODE_INVALID),
        ]
        for request, code in cases:
            assert failure(await c.ask(request)) == code, request
        # Nobody hears about items without an id; a range upside down is empty, not wrong.
        c.link().post(point(csn(0), mine[0]))
        assert values(await c.ask(range_read(csn(0), b"b", b"a"))) == []
        assert values(await c.ask(point(csn(0)))) == []
        assert values(await c.ask(range_read(csn(0)))) == [1]


async def test_too_many_reads_are_turned_down(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0), (key(1), row(1)))
        object.__setattr__(process.service._options, "jobs_max", 2)
        stuck = [asyncio.create_task(c.ask(point(csn(9), key(1)))) for _ in range(2)]
        await waiting(process, 2)
        assert failure(await c.ask(point(csn(0), key(1)))) == Failure.CODE_OVERLOADED
        c.journal.push(update(*[entry(csn(n), csn(n - 1)) for n in range(1, 10)], settled=csn(9)))
        assert [values(one) for one in await asyncio.gather(*stuck)] == [[1], [1]]
        assert values(await c.ask(point(csn(0), key(1)))) == [1]


@pytest.mark.parametrize("code", [Failure.CODE_SNAPSHOT_TOO_OLD, Failure.CODE_INVALID])
async def test_a_trimmed_journal_is_said_clearly(folder: Path, code: Any) -> None:
    async with cluster(folder) as c:
        c.journal.refusal = Failure(code=code, message="trimmed")
        process = await c.start_storage(wait_s=0.2)
        await until(lambda: process.feed.refused)
        status = await c.status()
        assert status.state == "refused"
        assert "trilithon rebuild" in status.problem
        assert failure(await c.ask(point(csn(1), key(1)))) == Failure.CODE_UNAVAILABLE
        c.journal.refusal = None
        c.journal.write(csn(0), (key(1), row(1)))
        assert values(await c.ask(point(0, key(1)))) in ([1], [None])
        await until(lambda: process.feed.journal)


async def test_a_feed_that_does_not_continue_is_refused(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0))
        await until(lambda: process.machine.position == csn(0))
        wrong = [
            update(entry(csn(5), csn(4))),  # a gap
            update(entry(csn(0), csn(0))),  # no progress
            update(cut_to=csn(0) - 1),  # cuts what is settled
            update(types_pb2.Entry(csn=csn(1), previous_csn=csn(0), write_set=b"\xff\xff")),
        ]
        for count, feed in enumerate(wrong, 1):
            c.journal._send(c.journal.subscribers[0], feed)
            await until(lambda count=count: len(c.journal.subscribed_after) == count + 1)
            await until(lambda: process.feed.journal)
            assert process.machine.position == csn(0)
        c.journal.write(csn(1), (key(1), row(1)))
        assert values(await c.ask(point(csn(1), key(1)))) == [1]


async def test_a_long_scan_does_not_hold_up_others(folder: Path) -> None:
    async with cluster(folder) as c:
        await c.start_storage()
        count = 15_000
        writes = [(key(n), row(n)) for n in range(count)]
        c.journal.write(csn(0), *writes)
        done: list[str] = []

        async def scan() -> None:
            found = await c.ask(range_read(csn(0), chunk_bytes=4 << 20))
            assert len(values(found)) == count
            done.append("scan")

        async def get() -> None:
            assert values(await c.ask(point(csn(0), key(7)))) == [7]
            done.append("point")

        await get()
        await asyncio.gather(scan(), get())
        assert done == ["point", "point", "scan"]


async def test_chunks_resume_and_large_answers_are_split(folder: Path) -> None:
    async with cluster(folder) as c:
        await c.start_storage()
        big = "x" * 1_000_000
        c.journal.write(csn(0), *[(key(n), row(big)) for n in range(6)])
        many = [key(n % 6) for n in range(9)]
        reply = await c.ask(point(csn(0), *many))
        assert 0 < reply.point_rows.unanswered_keys < 9
        assert len(values(reply)) + reply.point_rows.unanswered_keys == 9
        part = (await c.ask(range_read(csn(0), chunk_bytes=1 << 30))).range_rows
        assert part.resume_key
        assert len(decode_rows(part.rows)) < 6


async def test_programs_filter_and_project_where_the_rows_are(folder: Path) -> None:
    async with cluster(folder) as c:
        await c.start_storage()
        c.journal.write(csn(0), *[(key(n), row(n)) for n in range(200)])
        column = ir.Column(0, INT4)

        def call(operator: str, right: int) -> ir.Expr:
            entry_ = functions.get_function(f"int4 {operator} int4")
            return ir.Call(entry_.id, (column, ir.Constant(right, INT4)), TypeRef(entry_.result))

        program = Program(filter=call(">", 190), projection=(call("*", 10),)).to_bytes()
        found = await c.ask(range_read(csn(0), program=program, with_keys=True, limit=3))
        assert values(found) == [1910, 1920, 1930]
        assert list(found.range_rows.keys) == [key(191), key(192), key(193)]
        found = await c.ask(point(csn(0), key(5), key(195), key(999), program=program))
        assert values(found) == [None, 1950, None]
        assert found.point_rows.examined_csn == csn(0)
        only_filter = Program(filter=call("<", 2), missing=(0, "added")).to_bytes()
        reply = await c.ask(range_read(csn(0), program=only_filter))
        assert decode_rows(reply.range_rows.rows) == [[0, "added"], [1, "added"]]
        failing = Program(projection=(call("/", 0),)).to_bytes()
        for request in (
            range_read(csn(0), program=failing),
            point(csn(0), key(1), program=failing),
        ):
            reply = await c.ask(request)
            assert reply.WhichOneof("reply") == "error"
            assert reply.error.sqlstate == "22012"
        assert values(await c.ask(point(csn(0), key(999), program=failing))) == [None]


async def test_programs_that_aggregate(folder: Path) -> None:
    async with cluster(folder) as c:
        await c.start_storage()
        c.journal.write(csn(0), *[(key(n), row(n)) for n in range(200)])
        column = ir.Column(0, INT4)
        calls = (PartialCall("count()", ()), PartialCall("sum(int4)", (0,)))
        program = Program(projection=(column,), aggregation=Aggregation(0, calls)).to_bytes()
        reply = await c.ask(range_read(csn(0), program=program))
        assert decode_rows(reply.range_rows.rows) == [[200, sum(range(200))]]
        for request in (
            range_read(csn(0), program=program, limit=3),
            range_read(csn(0), program=program, with_keys=True),
            point(csn(0), key(1), program=program),
        ):
            reply = await c.ask(request)
            assert reply.failure.code == Failure.CODE_INVALID


async def test_old_snapshots_are_refused_after_collection(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage(keep_s=0.05)
        for number in range(20):
            c.journal.write(csn(number), (key(1), row(number)), (key(2), None))
        await until(lambda: process.applier.deleted_count >= 19 + 20)
        assert failure(await c.ask(point(csn(3), key(1)))) == Failure.CODE_SNAPSHOT_TOO_OLD
        assert failure(await c.ask(range_read(csn(3)))) == Failure.CODE_SNAPSHOT_TOO_OLD
        assert values(await c.ask(point(csn(19), key(1), key(2)))) == [19, None]
        with process._engine.reading() as cursor:
            assert [value for _, value in cursor.iternext()] == [row(19)]
        await c.stop_storage()
        process = await c.start_storage(keep_s=900)
        assert process.machine.collected == csn(19)
        assert failure(await c.ask(point(csn(3), key(1)))) == Failure.CODE_SNAPSHOT_TOO_OLD
        speculative = (await c.ask(point(0, key(2)))).point_rows
        assert speculative.examined_csn == csn(19)


async def test_a_full_disk_is_waited_for(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        c.journal.write(csn(0), (key(1), row(0)))
        await until(lambda: process.machine.applied == csn(0))
        engine, apply = process._engine, process._engine.apply

        def full(*_: Any, **__: Any) -> Any:
            raise DiskFull("No space left on device")

        engine.apply = full  # type: ignore[method-assign]
        c.journal.write(csn(1), (key(1), row(1)))
        await until(lambda: process.applier.problem)
        status = await c.status()
        assert (status.state, status.applied_csn) == ("disk_full", csn(0))
        assert values(await c.ask(point(csn(1), key(1)))) == [1]
        c.journal.write(csn(2), (key(1), row(2)))
        assert values(await c.ask(range_read(csn(2)))) == [2]
        engine.apply = apply  # type: ignore[method-assign]
        await until(lambda: process.machine.applied == csn(2))
        assert (await c.status()).state == "following"


async def test_a_broken_disk_ends_the_process(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()

        def broken(*_: Any, **__: Any) -> Any:
            raise OSError(5, "Input/output error")

        process._engine.apply = broken  # type: ignore[method-assign]
        c.journal.write(csn(0))
        async with asyncio.timeout(20):
            with pytest.raises(OSError, match="Input/output"):
                await process.failed


async def test_a_full_map_grows(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage(map_bytes=1 << 20)
        for number in range(8):
            c.journal.write(csn(number), *[(key(n), row("x" * 100_000)) for n in range(4)])
        await until(lambda: process.machine.applied == csn(7))
        assert process._engine._environment.info()["map_size"] > 1 << 20
        assert len(values(await c.ask(range_read(csn(7), chunk_bytes=4 << 20)))) == 4


async def test_the_feed_pauses_while_memory_is_full(folder: Path) -> None:
    async with cluster(folder) as c:
        process = await c.start_storage()
        object.__setattr__(process.service._options, "memory_bytes_max", 100_000)
        c.journal.write(csn(0), (key(0), row("x" * 30_000)))
        for number in range(1, 12):
            c.journal.write(csn(number), (key(number), row("x" * 30_000)), settled=number < 8)
        assert values(await c.ask(point(csn(7), key(7)))) == ["x" * 30_000]
        await until(lambda: process.machine.applied == csn(7))
        c.journal.settle(csn(11))
        assert len(values(await c.ask(range_read(csn(11), chunk_bytes=4 << 20)))) == 12


async def test_slots_split_what_one_process_would_hold(folder: Path) -> None:
    async with cluster(folder) as c:
        await c.start_storage("whole")
        await c.start_storage("low", slots=(0, 500))
        await c.start_storage("high", slots=(501, 1023))
        for number in range(50):
            c.journal.write(csn(number), (key(number * 37), row(number)), (key(number), None))
        at = csn(40)
        sums = [await c.checksum(at, name) for name in ("whole", "low", "high")]
        assert sums[0].rows == sums[1].rows + sums[2].rows > 0
        assert sums[0].checksum == (sums[1].checksum + sums[2].checksum) % (1 << 64)
        assert sums[1].rows > 0 < sums[2].rows
        assert (await c.checksum(csn(39), "whole")).checksum != sums[0].checksum
        parts = [values(await c.ask(range_read(at), name=name)) for name in ("low", "high")]
        assert sorted(parts[0] + parts[1]) == values(await c.ask(range_read(at), name="whole"))


async def test_one_message_of_many_reads_is_answered_whole(folder: Path) -> None:
    async with cluster(folder) as c:
        await c.start_storage()
        c.journal.write(csn(0), *[(key(n), row(n)) for n in range(1000)])
        answers = await asyncio.gather(
            *[c.ask(point(csn(0), key(n), key(n + 1))) for n in range(0, 1000, 2)],
            *[c.ask(range_read(csn(0), key(n), key(n + 5))) for n in range(0, 1000, 100)],
        )
        assert [values(one) for one in answers[:500]] == [[n, n + 1] for n in range(0, 1000, 2)]
        assert [len(values(one)) for one in answers[500:]] == [5] * 10


async def test_the_sum_never_changes_while_applying_and_collecting_go_on(folder: Path) -> None:
    """Readers at many snapshots, by range and by keys, against a worker that really runs beside."""
    async with cluster(folder) as c:
        process = await c.start_storage(interval_s=0.001, keep_s=0.2)
        accounts = [key(n) for n in range(40)]
        balances = [100] * len(accounts)
        c.journal.write(csn(0), *[(one, row(100)) for one in accounts])
        stop = asyncio.Event()
        reads = 0

        async def write() -> None:
            for number in range(1, 1500):
                a, b = c.world.random.sample(range(len(accounts)), 2)
                balances[a] -= 1
                balances[b] += 1
                c.journal.write(
                    csn(number),
                    (accounts[a], row(balances[a])),
                    (accounts[b], row(balances[b])),
                    settled=number % 3 == 0,
                )
                if number % 7 == 0:
                    await asyncio.sleep(0.001)
            c.journal.settle(csn(1499))
            stop.set()

        async def read(back: int) -> None:
            nonlocal reads
            while not stop.is_set():
                snapshot = max(csn(0), c.journal.tail - back)
                reply = await c.ask(
                    range_read(snapshot, reverse=bool(back % 2), chunk_bytes=4 << 20)
                )
                by_key = await c.ask(point(snapshot, *accounts))
                for one in (reply, by_key):
                    if one.WhichOneof("reply") == "failure":
                        assert one.failure.code == Failure.CODE_SNAPSHOT_TOO_OLD
                    else:
                        assert sum(values(one)) == 100 * len(accounts)
                        reads += 1

        await asyncio.gather(write(), *[read(back) for back in (0, 1, 2, 30, 101)])
        assert reads > 50
        await until(lambda: process.machine.applied == csn(1499))
        assert process.applier.batches_count > 20
