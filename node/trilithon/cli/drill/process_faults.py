"""Drills that kill, pause and restart processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from trilithon.cli.drill.stage import Drill, Fault, Stage

_SLOW_S: Final = 0.08


def _lose(*which: str, down: Sequence[str] = ()) -> Fault:
    return lambda stage: stage.lose(*which, down=down)


def _lose_leader(stage: Stage) -> None:
    stage.lose(stage.leader())


def _lose_follower(stage: Stage) -> None:
    leader = stage.leader()
    followers = [
        command.name
        for command in stage.cluster.plan.commands
        if command.role == "adjudicator" and command.name != leader
    ]
    stage.lose(followers[0])


def _lose_journal(*, leaders: bool) -> Fault:
    def fault(stage: Stage) -> None:
        region = stage.leaders_region() if leaders else stage.other_region()
        stage.lose(f"{region}/journal-0", down=region)

    return fault


def _pause_region(stage: Stage) -> None:
    """A Region that stands still holds its connections: nobody is told that it is gone."""
    region = stage.leaders_region()
    stage.harm(f"pause {region}", region)
    stage.cluster.pause(region)
    stage.let_harm()
    stage.heal(f"unpause {region}")
    stage.cluster.unpause(region)
    stage.recovered()


def _slow(which: Callable[[Stage], str], down: bool) -> Fault:
    """Half of the time it stands still."""

    def fault(stage: Stage) -> None:
        slowed = which(stage)
        stage.harm(f"slow {slowed}", slowed.partition("/")[0] if down else "")
        until = stage.now_s() + stage.harm_s
        while stage.now_s() < until:
            stage.cluster.pause(slowed)
            stage.let_pass(_SLOW_S)
            stage.cluster.unpause(slowed)
            stage.let_pass(_SLOW_S)
        stage.heal("no more")
        stage.recovered()

    return fault


def _lose_leaders_region(stage: Stage) -> None:
    region = stage.leaders_region()
    stage.lose(region, down=region)


def _pause_leader(stage: Stage) -> None:
    leader = stage.leader()
    stage.harm(f"pause {leader}")
    stage.cluster.pause(leader)
    stage.let_harm()
    stage.heal(f"unpause {leader}")
    stage.cluster.unpause(leader)
    stage.recovered()


def _rolling_restart(stage: Stage) -> None:
    for name in [name for region in "abw" for name in stage.cluster.names(region)]:
        stage.harm(f"restart {name}")
        stage.cluster.stop_processes(name)
        stage.heal(f"start {name}")
        stage.restart(name)
        stage.recovered()


def _rebuild_storage(stage: Stage) -> None:
    """The journal still has the whole log of so young a cluster."""
    name = "b/storage-0"
    stage.harm(f"kill {name} and lose its folder", down="b")
    stage.cluster.kill(name)
    stage.cluster.lose_data(name)
    stage.let_pass(1.0)
    stage.heal(f"start {name}")
    stage.restart(name)
    stage.recovered()


DRILLS: Final = (
    Drill("region-a", "Region a's processes are killed, all at once", _lose("a", down="a")),
    Drill("region-b", "Region b's processes are killed, all at once", _lose("b", down="b")),
    Drill("leader-region", "the leader's whole Region is killed", _lose_leaders_region),
    Drill("leader", "the leading adjudicator is killed", _lose_leader),
    Drill("follower", "an adjudicator that does not lead is killed", _lose_follower),
    Drill("paused-leader", "the leader stands still for longer than its lease", _pause_leader),
    Drill("journal", "a full Region's journal is killed", _lose("a/journal-0", down="a")),
    Drill("journal-leader", "the leader's Region loses its journal", _lose_journal(leaders=True)),
    Drill(
        "journal-follower", "the other full Region loses its journal", _lose_journal(leaders=False)
    ),
    Drill("paused-region", "the leader's whole Region stands still", _pause_region),
    Drill(
        "slow-region",
        "the Region that does not lead stands still half of the time",
        _slow(Stage.other_region, down=True),
    ),
    Drill(
        "slow-journal",
        "a journal stands still half of the time, as if its disk was slow",
        _slow(lambda stage: f"{stage.other_region()}/journal-0", down=False),
    ),
    Drill("storage", "a storage process is killed", _lose("a/storage-0", down="a")),
    Drill("storage-rebuild", "a storage process loses its folder and rebuilds", _rebuild_storage),
    Drill("query", "a query processor is killed", _lose("a/query-0", down="a")),
    Drill("witness", "the witness is killed", _lose("w")),
    Drill(
        "far-region",
        "the leader's whole Region is killed, 60 ms of round trip between Regions",
        _lose_leaders_region,
        rtt_ms=60,
    ),
    Drill("rolling-restart", "every process is restarted, one after the other", _rolling_restart),
)
