"""Named scenarios around read leases: who may give snapshots, and until when."""

from __future__ import annotations

from unittest import mock

import fault_network
from scenario import TTL_S, is_append, scenario

from trilithon.journal.votes import Votes


def joins_while_its_disk_is_slow(seed: int) -> None:
    """A Region comes back, near the tail but always some entries behind it."""
    with scenario(seed=seed) as one:
        disk = one.journal(one.other).disk
        undo = one.isolate(one.other)
        one.run(2.5)
        disk.extra_s = 0.25
        undo()
        one.run(4.0)
        disk.extra_s = 0.0


def lonely_leader(seed: int) -> None:
    """A leader that reaches its own journal only; the others elect another one and go on."""
    with scenario(seed=seed) as one:
        undo = one.isolate(one.leading)
        one.run(3.5)
        assert one.adjudicator(one.other).running.machine.leader is not None
        undo()


def elected_in_haste(seed: int) -> None:
    """Journals once promise a new epoch while its leader's predecessor is still heard and obeyed.

    That must not happen (a lease would outlive its epoch); here it is made to, once, to show what
    ending the lease with the epoch is for: the old leader's Region knows of the new epoch at once.
    """
    with scenario(seed=seed) as one:
        x, y = one.adjudicator(one.leading), one.adjudicator(one.other)
        journal = one.journal(one.leading)
        undo = one.hold(y, journal, is_append)
        with mock.patch.object(Votes, "time_left_us", return_value=0):
            one.until_led(y)
            epoch = y.running.machine.leader.epoch
            one.until(lambda: journal.running.machine.promised_epoch >= epoch)
        undo_old = one.cut(x, journal)
        one.run(1.2 * TTL_S)
        undo()
        undo_old()


def restarts_with_its_clock_set_back(seed: int) -> None:
    """The machine of a journal is booted anew; the leader still answers to what it read before."""
    with scenario(seed=seed) as one:
        journal = one.journal(one.other)
        undo = one.kill(journal)
        one.run(0.02)
        undo()
        journal.process.set_clock(journal.process.local_s() - 10.0)
        one.run(0.6)
        one.isolate(one.other)
        one.run(3.0)
        one.undo()


def hears_late_and_falls_silent(seed: int) -> None:
    """Grants take half a lease to arrive; then nothing comes back from there any more."""
    with scenario(seed=seed) as one:
        delays = one.cluster.network.extra_delay_s
        delays[(one.leading, one.other)] = 0.45
        one.run(2.0)
        elsewhere = [region for region in one.cluster.regions if region != one.other]
        undo = fault_network.cut(one.cluster, [(one.other, region) for region in elsewhere])
        one.run(3.0)
        undo()
        delays.clear()


def old_appends_arrive_late(seed: int) -> None:
    """Entries, heartbeats and grants of a leader that stepped down, when the next one just begins."""
    with scenario(seed=seed) as one:
        x, y = one.adjudicator(one.leading), one.adjudicator(one.other)
        undos = [one.hold(x, one.journal(name), is_append) for name in (one.other, "w")]
        one.until_led(y)
        epoch, journal = y.running.machine.leader.epoch, one.journal(one.other)
        one.until(lambda: journal.running.machine.synced_csn >> 40 == epoch, 2.0, "y begins")
        for undo in undos:
            undo()
        one.run(1.5)


def snapshots_take_a_long_way_home(seed: int) -> None:
    """What begins while a snapshot is on its way needs one of its own."""
    with scenario(seed=seed) as one:
        delays = one.cluster.network.extra_delay_s
        for region in (one.leading, one.other):
            delays[(one.journal(region).name, f"{region}/query-0")] = 0.2
        one.run(4.0)
        delays.clear()


def lonely_region(seed: int) -> None:
    """A Region is cut off from everybody; the leader goes on without it."""
    with scenario(seed=seed) as one:
        undo = one.isolate(one.other)
        one.run(3.5)
        undo()


PLAYS = [
    old_appends_arrive_late,
    snapshots_take_a_long_way_home,
    hears_late_and_falls_silent,
    lonely_region,
    joins_while_its_disk_is_slow,
    lonely_leader,
    elected_in_haste,
    restarts_with_its_clock_set_back,
]
