"""Drills that kill, pause and restart processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trilithon.cli.drill.stage import Drill, Fault, Stage


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


def _lose_leaders_region(stage: Stage) -> None:
    region = stage.leader().partition("/")[0]
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
    Drill("storage", "a storage process is killed", _lose("a/storage-0", down="a")),
    Drill("storage-rebuild", "a storage process loses its folder and rebuilds", _rebuild_storage),
    Drill("query", "a query processor is killed", _lose("a/query-0", down="a")),
    Drill("witness", "the witness is killed", _lose("w")),
    Drill("rolling-restart", "every process is restarted, one after the other", _rolling_restart),
)
