"""Named scenarios of journals that are lost, replaced, and found again."""

from __future__ import annotations

from fault_disks import ask_to_replace
from scenario import brings_entries, scenario


def a_lost_journal_must_not_vote(seed: int) -> None:
    """What only two journals had is on one now; the empty one must not elect who has none of it."""
    with scenario(seed=seed) as one:
        x, y = one.adjudicator(one.leading), one.adjudicator(one.other)
        jx, jy, jw = (one.journal(name) for name in (one.leading, one.other, "w"))
        undo_jy = one.cut(x, jy)
        one.run(2.6)
        undo_w, undo_x = one.kill(jw), one.kill(x)
        undo_jy()
        jw.disk.lose()
        undo_jx = one.part(y, jx)
        undo_w()
        one.run(2.5)
        assert y.running.machine.leader is None or not y.running.machine.leader.replication.serving
        undo_jx()
        one.cluster.replacing = jw.name
        ask_to_replace(one.cluster, jw)
        undo_x()
        one.cluster.run_until(lambda: not one.cluster.replacing, 10.0, "the journal is replaced")


def a_replaced_journals_old_disk_comes_back(seed: int) -> None:
    """The change of members reached one old journal only, and then the old disk is found again."""
    with scenario(seed=seed) as one:
        cluster = one.cluster
        x, y = one.adjudicator(one.leading), one.adjudicator(one.other)
        jx, jy, jw = (one.journal(name) for name in (one.leading, one.other, "w"))
        undo_w = one.kill(jw)
        old = jw.disk.state
        jw.disk.lose()
        undo_w()
        one.run(1.0)
        undo_jy = one.hold(x, jy, brings_entries)
        cluster.replacing = jw.name
        ask_to_replace(cluster, jw)
        one.run(2.5)
        cluster.replacing = ""
        undo_w, undo_x = one.kill(jw), one.kill(x)
        undo_jy()
        jw.disk.state = old
        undo_jx = one.part(y, jx)
        undo_w()
        one.run(3.0)
        undo_jx()
        undo_x()
        one.run(1.0)


PLAYS = [a_lost_journal_must_not_vote, a_replaced_journals_old_disk_comes_back]
