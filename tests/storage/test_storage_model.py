"""Random histories of versions, cuts, settling, applying, collecting and reopening against a model."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from storage_support import NO_DEADLINE, Model, Store, row, scratch_folder, update

from trilithon.core.csn import epoch_of, make_csn, sequence_of
from trilithon.storage import walk
from trilithon.storage.checksum import Checksum
from trilithon.storage.jobs import PointJob, Step
from trilithon.types.rows import decode_rows
from trilithon.v1 import storage_pb2, types_pb2

# Keys of equal length are prefix-free; few of them, so that they get many versions.
keys = st.sampled_from([bytes((a, b)) for a in (0, 1, 97, 255) for b in (0, 254, 255)])
bounds = st.one_of(
    st.just(b""),
    keys,
    keys.map(lambda key: key + b"\0"),
    keys.map(lambda key: key[:1]),
    st.binary(max_size=3),
)
writes = st.dictionaries(keys, st.one_of(st.none(), st.integers(0, 1 << 20)), max_size=4)
fractions = st.integers(0, 1000)


class History(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.scratch = scratch_folder()
        self.store = Store(self.scratch.__enter__())
        self.model = Model()
        self.settled = 0
        self.collected = 0

    def teardown(self) -> None:
        self.store.engine.close()
        self.scratch.__exit__(None, None, None)

    def between(self, low: int, fraction: int) -> int:
        """One of the model's csns at or above `low`."""
        choices = [one for one in self.model.csns if one >= low]
        return choices[fraction * (len(choices) - 1) // 1000]

    @rule(batch=st.lists(writes, min_size=1, max_size=12), fraction=fractions)
    def receive(self, batch: list[dict[bytes, int | None]], fraction: int) -> None:
        entries = []
        for one in batch:
            tail = self.model.tail
            csn = make_csn(max(1, epoch_of(tail)), sequence_of(tail) + 1)
            entries.append(self.model.write(csn, one))
        self.settled = self.between(self.settled, fraction)
        self.store.machine.feed(update(*entries, settled=self.settled))
        assert self.store.machine.settled == self.settled
        assert self.store.machine.position == self.model.tail

    @rule(fraction=fractions, one=writes)
    def new_epoch_cuts(self, fraction: int, one: dict[bytes, int | None]) -> None:
        cut_to = self.between(self.settled, fraction)
        epoch = epoch_of(self.model.tail) + 1
        self.model.cut(cut_to)
        entry = self.model.write(make_csn(epoch, 0), one)
        self.store.machine.feed(update(entry, cut_to=cut_to))

    @rule(collect=st.booleans(), fraction=fractions, collect_max=st.sampled_from([1, 5, 1000]))
    def apply(self, collect: bool, fraction: int, collect_max: int) -> None:
        applied = self.store.machine.applied
        choices = [one for one in self.model.csns if self.collected <= one <= applied]
        if collect and choices:
            self.collected = choices[fraction * (len(choices) - 1) // 1000]
        self.store.apply(self.collected, collect_max)

    @rule()
    def freeze_without_end(self) -> None:
        """The worker is writing: readers see both generations."""
        self.store.machine.freeze()

    @rule()
    def reopen(self) -> None:
        """Whatever was not applied is gone, and comes again after the applied csn."""
        self.store.reopen()
        assert self.store.machine.collected <= self.collected
        assert self.store.machine.subscribe() <= self.settled
        self.feed_again()

    @rule()
    def subscribe_again(self) -> None:
        assert self.store.machine.subscribe() == self.settled
        self.feed_again()

    def feed_again(self) -> None:
        after = self.store.machine.settled
        kept = [one for one in self.model.csns if one > after]
        everything, self.model.csns = self.model.versions, [0]
        entries = []
        for csn in kept:
            self.model.csns = [after]
            self.model.versions = {}
            found = {
                key: value
                for key, versions in everything.items()
                for at, value in versions
                if at == csn
            }
            entries.append(self.model.write(csn, found))
            after = csn
        self.model.versions = everything
        self.model.csns = sorted(
            {0, *kept, self.store.machine.settled}
            | {at for versions in everything.values() for at, _ in versions}
        )
        self.store.machine.feed(update(*entries, settled=self.settled))
        self.store.machine.collect_below(min(self.collected, self.store.machine.settled))
        assert self.store.machine.position == self.model.tail

    def snapshot(self, fraction: int) -> int:
        """One that may be read, without waiting for entries."""
        low = max(self.collected, self.store.machine.collected, 1)
        choices = [one for one in self.model.csns if low <= one <= self.settled]
        return choices[fraction * (len(choices) - 1) // 1000] if choices else 0

    @rule(key=keys, fraction=fractions)
    def read_point(self, key: bytes, fraction: int) -> None:
        if snapshot := self.snapshot(fraction):
            assert self.store.get(snapshot, key) == self.model.newest(key, snapshot)[1]

    @rule(
        start=bounds,
        end=bounds,
        reverse=st.booleans(),
        limit=st.integers(0, 5),
        chunk_bytes=st.sampled_from([0, 1, 9]),
        budget=st.sampled_from([1, 3, 1 << 30]),
        fraction=fractions,
    )
    def read_range(
        self,
        start: bytes,
        end: bytes,
        reverse: bool,
        limit: int,
        chunk_bytes: int,
        budget: int,
        fraction: int,
    ) -> None:
        if snapshot := self.snapshot(fraction):
            found = self.store.scan(
                snapshot,
                start,
                end,
                reverse=reverse,
                limit=limit,
                chunk_bytes=chunk_bytes,
                budget=budget,
            )
            assert found == self.model.scan(snapshot, start, end, reverse, limit)

    @rule(some=st.lists(keys, min_size=1, max_size=5), budget=st.sampled_from([1, 1 << 30]))
    def read_what_may_be_unsettled(self, some: list[bytes], budget: int) -> None:
        """Waits exactly for the newest unsettled entry that it touches."""
        position = self.model.tail
        if position == 0 or position < self.store.machine.collected:
            return
        job = PointJob(None, 1, position, None, NO_DEADLINE, some)
        step = self.store.run(job, budget)
        touched = [self.model.newest(key, position) for key in some]
        newest = max(at for at, _ in touched)
        if newest > self.settled:
            assert step is Step.WAIT_ENTRY
            assert job.wait_csn == newest
        else:
            assert step is Step.ANSWERED
            found = [one and one[0] for one in decode_rows(job.reply.point_rows.rows)]
            assert found == [value for _, value in touched]

    @rule(some=st.lists(keys, min_size=1, max_size=3))
    @precondition(lambda self: self.settled == self.model.tail and self.model.tail > 0)
    def speculate(self, some: list[bytes]) -> None:
        """The answer is that of every snapshot between examined and position, and says so truly."""
        reply = self.store.point(0, *some)
        found = [one and one[0] for one in decode_rows(reply.rows)]
        assert reply.position_csn == self.model.tail
        for snapshot in self.model.csns:
            if max(1, self.store.machine.collected) <= snapshot <= reply.position_csn:
                right = [self.model.newest(key, snapshot)[1] for key in some]
                if snapshot >= reply.examined_csn:
                    assert found == right
        exact = max(self.model.newest(key, self.model.tail)[0] for key in some)
        assert exact <= reply.examined_csn <= max(exact, self.store.machine.collected)

    @rule(start=bounds, end=bounds, reverse=st.booleans())
    @precondition(lambda self: self.settled == self.model.tail and self.model.tail > 0)
    def speculate_on_a_range(self, start: bytes, end: bytes, reverse: bool) -> None:
        request = storage_pb2.RangeRead(
            range=types_pb2.KeyRange(start=start, end=end), reverse=reverse, with_keys=True
        )
        reply = self.store.range(request)
        found = list(zip(reply.keys, (one[0] for one in decode_rows(reply.rows)), strict=True))
        assert not reply.resume_key
        for snapshot in self.model.csns:
            if max(1, self.store.machine.collected) <= snapshot <= reply.position_csn:
                same = found == self.model.scan(snapshot, start, end, reverse)
                assert same or snapshot < reply.examined_csn
        touched = [one for one in self.model.versions if start <= one and (not end or one < end)]
        exact = max((self.model.newest(one, self.model.tail)[0] for one in touched), default=0)
        assert exact <= reply.examined_csn <= max(exact, self.store.machine.collected)

    @rule(fraction=fractions)
    def checksum(self, fraction: int) -> None:
        if snapshot := self.snapshot(fraction):
            found = Checksum(snapshot)
            while not found.done:
                with self.store.engine.reading() as cursor:
                    found.step(cursor, self.store.machine)
            expected = Checksum(snapshot)
            for key, value in self.model.scan(snapshot, b"", b""):
                expected._add(key, row(value))
            assert (found.rows, found.value) == (expected.rows, expected.value)


@pytest.mark.parametrize(("steps", "silent"), [(8, 256), (1, 2)])
def test_random_histories_read_like_the_model(
    monkeypatch: pytest.MonkeyPatch, steps: int, silent: int
) -> None:
    """Twice: as it is, and with walks that seek and pause as often as they can."""
    monkeypatch.setattr(walk, "_STEPS_MAX", steps)
    monkeypatch.setattr(walk, "_SILENT_MAX", silent)
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=50,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
