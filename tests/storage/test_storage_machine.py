"""The machine by itself, as scripts; the pure parts around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from storage_support import csn, entry, row, update

from trilithon.core.invariant import InvariantViolation
from trilithon.storage.horizon import SAMPLES_MAX, Horizon
from trilithon.storage.machine import FeedRefused, StorageMachine, slot_of
from trilithon.storage.versions import MemoryTable, received
from trilithon.storage.waiting import Waiters
from trilithon.types import keys
from trilithon.types.registry import INT8
from trilithon.v1 import types_pb2


@dataclass(slots=True)
class Reader:
    name: str
    deadline_us: int = 0
    closed: bool = False


def machine(**options: Any) -> StorageMachine[Reader]:
    return StorageMachine(applied=0, collected=0, **options)


def test_position_and_settled_follow_the_feed() -> None:
    m = machine()
    assert m.subscribe() == 0
    m.feed(update(entry(csn(0), 0), entry(csn(1), csn(0))))
    assert (m.position, m.settled) == (csn(1), 0)
    m.feed(update(settled=csn(0)))
    assert (m.position, m.settled) == (csn(1), csn(0))
    m.feed(update(entry(csn(2), csn(1)), settled=csn(2)))
    assert (m.position, m.settled) == (csn(2), csn(2))
    # Marks never take anything back.
    m.feed(update(settled=csn(1)))
    assert m.settled == csn(2)


def test_a_mark_ahead_of_the_entries_settles_them_as_they_come() -> None:
    m = machine()
    m.feed(update(entry(csn(0), 0), settled=csn(3)))
    assert m.settled == csn(0)
    m.feed(update(*[entry(csn(n), csn(n - 1)) for n in (1, 2, 3, 4)]))
    assert (m.settled, m.position) == (csn(3), csn(4))


def test_a_mark_of_one_journal_says_nothing_about_anothers_entries() -> None:
    m = machine()
    m.feed(update(entry(csn(0), 0), settled=csn(9, 2)))
    assert m.subscribe() == csn(0)
    # This journal still has an entry of epoch 1 that epoch 2 cut away elsewhere.
    m.feed(update(entry(csn(1), csn(0)), settled=csn(0)))
    assert (m.settled, m.position) == (csn(0), csn(1))


def test_cuts_take_unsettled_entries_and_nothing_else() -> None:
    m = machine()
    m.feed(update(entry(csn(0), 0, [(b"k", row(0))]), settled=csn(0)))
    m.feed(update(*[entry(csn(n), csn(n - 1), [(b"k", row(n))]) for n in (1, 2, 3)]))
    m.feed(update(entry(csn(0, 2), csn(1), [(b"k", row(9))]), cut_to=csn(1)))
    assert m.position == csn(0, 2)
    assert [m.table.newest(b"k", at)[0] for at in (csn(0), csn(3), csn(0, 2))] == [
        csn(0),
        csn(1),
        csn(0, 2),
    ]
    with pytest.raises(FeedRefused, match="settled"):
        m.feed(update(cut_to=csn(0) - 1))


def test_what_is_being_applied_cannot_be_cut() -> None:
    table = MemoryTable()
    table.add(received(csn(1), [(b"k", b"v")]))
    table.freeze(csn(1))
    with pytest.raises(InvariantViolation):
        table.cut(csn(0))


@pytest.mark.parametrize(
    "wrong",
    [
        update(entry(csn(2), csn(1))),
        update(entry(csn(1), 0)),
        update(entry(csn(0), csn(0))),
        update(entry(csn(1), csn(0)), entry(csn(3), csn(2))),
        update(entry(csn(0, 2), csn(1)), cut_to=csn(0)),
        update(entry(csn(1), csn(0), [(b"x" * 1_971, b"v")])),
        update(entry(csn(1), csn(0), [(b"", b"v")])),
        update(types_pb2.Entry(csn=csn(1), previous_csn=csn(0), write_set=b"\x0a\xff")),
    ],
)
def test_a_refused_update_changes_nothing(wrong: Any) -> None:
    m = machine()
    m.feed(update(entry(csn(0), 0), settled=csn(0)))
    with pytest.raises(FeedRefused):
        m.feed(wrong)
    assert (m.position, m.settled) == (csn(0), csn(0))
    m.feed(update(entry(csn(1), csn(0)), settled=csn(1)))
    assert m.settled == csn(1)


def test_a_new_subscription_replaces_what_was_unsettled() -> None:
    m = machine()
    waiting, other = Reader("entry"), Reader("position")
    m.feed(update(entry(csn(0), 0), settled=csn(0)))
    m.feed(update(entry(csn(1), csn(0), [(b"k", row(1))])))
    m.waiters.wait_for_entry(csn(1), waiting)
    m.waiters.wait_for_position(csn(2), other)
    assert m.subscribe() == csn(0)
    # Until the new feed speaks, everything stays as it was.
    assert m.position == csn(1)
    woken = m.feed(update(entry(csn(0, 2), csn(0), [(b"k", row(2))])))
    assert woken == [waiting, other]
    assert m.table.newest(b"k", csn(9)) is None
    assert m.position == csn(0, 2)


def test_giving_up_what_is_unsettled_wakes_who_waits_for_it() -> None:
    m = machine()
    waiting = Reader("entry")
    m.feed(update(entry(csn(0), 0), settled=csn(0)))
    m.feed(update(entry(csn(1), csn(0), [(b"k", row(1))])))
    m.waiters.wait_for_entry(csn(1), waiting)
    assert m.drop_unsettled() == [waiting]
    assert m.position == csn(0)


def test_only_own_slots_are_kept_but_every_csn_counts() -> None:
    def key(number: int) -> bytes:
        return keys.key_prefix(20_000, 0) + keys.encode_columns([INT8], [number])

    m = machine(slot_first=100, slot_last=600)
    writes = [(key(n), row(n)) for n in range(500)]
    m.feed(update(entry(csn(0), 0, writes), settled=csn(0)))
    kept = {pair[0] for pair in m.freeze()[0].writes}
    assert kept == {one for one, _ in writes if 100 <= keys.key_slot(one) <= 600}
    assert 0 < len(kept) < 500
    m.feed(update(entry(csn(1), csn(0), [(b"odd", b"v")]), settled=csn(1)))
    assert 0 <= slot_of(b"\x00" * 8 + b"\xee") < 1024
    assert m.settled == csn(1)


def test_applying_is_exactly_what_is_settled() -> None:
    m = machine()
    m.feed(update(*[entry(csn(n), csn(n - 1) if n else 0, [(b"k", row(n))]) for n in range(5)]))
    assert m.freeze() == ()
    m.feed(update(settled=csn(2)))
    assert [one.csn for one in m.freeze()] == [csn(0), csn(1), csn(2)]
    m.feed(update(settled=csn(4)))
    # The same batch again, until it is applied.
    assert [one.csn for one in m.freeze()] == [csn(0), csn(1), csn(2)]
    assert m.table.newest(b"k", csn(1))[0] == csn(1)
    m.applied_up_to(csn(2))
    assert m.table.newest(b"k", csn(2)) is None
    assert [one.csn for one in m.freeze()] == [csn(3), csn(4)]
    with pytest.raises(InvariantViolation):
        m.applied_up_to(csn(5))


def test_a_key_written_twice_by_one_entry_has_its_last_value() -> None:
    table = MemoryTable()
    table.add(received(csn(1), [(b"k", b"1")]))
    table.add(received(csn(2), [(b"k", b"2"), (b"k", None), (b"k", b"3")]))
    assert table.newest(b"k", csn(2)) == (csn(2), b"3", (csn(1), b"1", None))
    table.cut(csn(1))
    assert table.newest(b"k", csn(2)) == (csn(1), b"1", None)


def test_memory_is_accounted_for() -> None:
    table = MemoryTable()
    for number in range(1, 10):
        table.add(received(csn(number), [(b"k", b"x" * 100)]))
    size = table.size_bytes
    assert size > 9 * 100
    table.freeze(csn(4))
    assert table.size_bytes == size
    table.cut(csn(6))
    assert table.size_bytes == size * 6 // 9
    table.drop_frozen()
    table.cut(csn(0))
    assert table.size_bytes == 0
    assert list(table.keys_between(b"", b"", False)) == []


def test_waiters_wake_in_order_and_expire() -> None:
    waiters: Waiters[Reader] = Waiters()
    a, b, c, d = (
        Reader(name, deadline) for name, deadline in zip("abcd", (9, 5, 7, 5), strict=True)
    )
    waiters.wait_for_position(30, a)
    waiters.wait_for_position(20, b)
    waiters.wait_for_entry(20, c)
    waiters.wait_for_entry(10, d)
    assert waiters.waiting_for_feed == 2
    assert waiters.moved(position=20, settled=9) == [b]
    assert waiters.cut(15) == [c]
    d.closed = True
    assert waiters.moved(position=25, settled=10) == []
    assert waiters.expire(8) == []
    assert waiters.expire(9) == [a]
    assert len(waiters) == 0


def test_closed_waiters_do_not_pile_up() -> None:
    waiters: Waiters[Reader] = Waiters()
    for number in range(100):
        waiters.wait_for_position(1 << 60, Reader(str(number), 1000, closed=number > 0))
    assert waiters.expire(10) == []
    assert len(waiters) == 1


def test_the_horizon_is_never_younger_than_the_age() -> None:
    horizon = Horizon(1_000_000)
    settled_at = {}
    for step in range(5_000):
        now_us, settled = step * 1_000, csn(step)
        settled_at[settled] = now_us
        horizon.observe(now_us, settled)
        old = horizon.csn(now_us)
        if old:
            assert now_us - settled_at[old] >= 1_000_000
        if step > 1_500:
            assert now_us - settled_at[old] < 1_100_000
        assert len(horizon._samples) <= SAMPLES_MAX + 1
    # An idle log's last csn grows old too.
    horizon.observe(6_000_000, csn(4_999))
    horizon.observe(6_000_001, csn(4_999))
    assert horizon.csn(7_000_001) == csn(4_999)
