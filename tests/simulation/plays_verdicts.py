"""Named scenarios around verdicts: windows, deposed leaders, questions and answers that come late."""

from __future__ import annotations

import fault_network
from scenario import scenario


def windows_are_small(seed: int) -> None:
    """Transactions that take longer than what the conflict window remembers."""
    settings = {"window_entries_max": 15, "warm_entries": 10}
    workloads = ("bank", "append", "slow writer")
    with scenario(seed=seed, workloads=workloads, adjudicator=settings) as one:
        one.run(5.0)


def a_deposed_leaders_verdicts_come_late(seed: int) -> None:
    """The old leader hears requests but reaches nobody: what it says arrives when the next one leads.

    Its log holds transactions that lost their place; those that it turned down because of them may
    commit under its successor.
    """
    with scenario(seed=seed) as one:
        x, y = one.adjudicator(one.leading), one.adjudicator(one.other)
        elsewhere = [region for region in one.cluster.regions if region != one.leading]
        undo = fault_network.cut(one.cluster, [(one.leading, region) for region in elsewhere])
        one.until_led(y)
        one.until(lambda: y.running.machine.leader.replication.serving)
        undo()
        one.run(1.0)
        assert not x.running.machine.leader or x.running.machine.leader.epoch > 1


PLAYS = [windows_are_small, a_deposed_leaders_verdicts_come_late]
