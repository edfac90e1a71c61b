"""Drills that take room away: a bound on the size of files, set from outside on the running process.

Its writes beyond what its files already have fail, in the kernel, as on a disk that is full; logs still fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trilithon.cli import demo
from trilithon.cli.drill.stage import Drill, Stage

_NOTICED_S: Final = 20.0


def _fill_journal(stage: Stage) -> None:
    """A journal that cannot sync must stop; started again it must not come to life before there is room."""
    name = f"{stage.other_region()}/journal-0"
    restarts, pid = stage.cluster.restarts(name), stage.cluster.pid(name)
    stage.harm(f"{name}: disk full", name.partition("/")[0])
    stage.cluster.fill_disk(name)
    _await(
        stage,
        lambda: stage.cluster.pid(name) != pid or stage.cluster.restarts(name) > restarts,
        f"{name} goes on although its disk is full",
    )
    stage.mark(f"{name} has stopped")
    stage.let_harm()
    stage.heal("room again")
    stage.cluster.empty_disk(name)
    stage.restart(name)
    stage.recovered()


def _fill_storage(stage: Stage) -> None:
    """Storage applies in memory, says so, and goes on."""
    name = f"{stage.other_region()}/storage-0"
    stage.harm(f"{name}: disk full")
    stage.cluster.fill_disk(name)
    stage.cluster.wait_until(
        lambda status: any(one.name == name and one.note for one in status.processes), _NOTICED_S
    )
    stage.mark(f"{name} says so")
    stage.let_harm()
    stage.heal("room again")
    stage.cluster.empty_disk(name)
    stage.cluster.wait_until(
        lambda status: any(one.name == name and one.up and not one.note for one in status.processes)
    )
    stage.recovered()


def _await(stage: Stage, condition: Callable[[], bool], otherwise: str) -> None:
    limit = stage.now_s() + _NOTICED_S
    while not condition():
        demo.check(stage.now_s() < limit, otherwise)
        stage.let_pass(0.02)


DRILLS: Final = (
    Drill("full-disk-journal", "a full Region's journal has no room left", _fill_journal),
    Drill("full-disk-storage", "a storage process has no room left", _fill_storage),
)
