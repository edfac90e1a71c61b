"""What rebuilding relies on is switched off, and the checkers notice."""

from __future__ import annotations

import mutations_rebuild as rules
import pytest
from fault_processes import keep_down
from fault_rebuild import lose_region
from observer import Violation
from test_rebuild_scenarios import copying_in, small_parts, trimmed

pytestmark = pytest.mark.timeout(600)


def lose_the_witness_when_it_alone_remembers() -> None:
    """What was acknowledged while the other Region was away is with the leader's and the witness."""
    with trimmed() as one:
        heal = one.isolate(one.other)
        one.run(3.0)
        leader = keep_down(one.nodes(one.leading))
        back = lose_region(one.cluster, "w")
        heal()
        back()
        one.run(3.0)
        assert one.cluster.leader() is None
        leader()


def lose_a_region(*, kill_the_target: bool = False) -> None:
    with trimmed() as one:
        back = lose_region(one.cluster, one.other)
        one.run(0.5)
        back()
        one.until(lambda: bool(copying_in(one, one.other)), 10.0, "a copy is under way")
        if kill_the_target:
            undo = keep_down(copying_in(one, one.other))
            one.run(0.3)
            undo()


def lose_a_region_and_wait() -> None:
    with trimmed() as one:
        back = lose_region(one.cluster, one.other)
        one.run(0.5)
        back()


def test_a_lost_witness_does_not_forget_what_was_acknowledged() -> None:
    lose_the_witness_when_it_alone_remembers()


def test_an_empty_journal_with_the_old_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    rules.an_empty_journal_has_the_old_name(monkeypatch.setattr)
    with pytest.raises((Violation, AssertionError)) as noticed:
        lose_the_witness_when_it_alone_remembers()
    print(noticed.value)


def test_half_a_copy_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    rules.a_part_of_a_copy_is_taken_for_the_whole(monkeypatch.setattr)
    with pytest.raises(Violation) as noticed:
        lose_a_region(kill_the_target=True)
    print(noticed.value)


def test_a_copy_that_leaves_versions_out_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    rules.a_copy_goes_on_one_version_late(monkeypatch.setattr)
    with pytest.raises(Violation) as noticed:
        lose_a_region()
    print(noticed.value)


def test_a_journal_that_claims_the_log_before_its_start_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Storage itself refuses such a feed; so nobody serves, and nobody is told to rebuild."""
    rules.a_journal_claims_the_log_before_its_start(monkeypatch.setattr)
    with pytest.raises(Violation, match="not within") as noticed:
        lose_a_region_and_wait()
    print(noticed.value)


def test_holes_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    rules.storage_follows_a_log_with_a_hole(monkeypatch.setattr)
    with pytest.raises(Violation, match=r"checksum|wrong read") as noticed:
        lose_a_region_and_wait()
    print(noticed.value)
