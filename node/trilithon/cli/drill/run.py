"""One drill: a fresh cluster, a load from every Region, the fault (once, or again and again), the checks.

Every drill checks the same promises at its end: no acknowledged transfer missing, none there twice, none
there that was refused, every balance adds up, no reader ever saw another sum, the list-append history is
strongly snapshot isolated, `run_transaction` let no error through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trilithon.client
from trilithon.cli import demo
from trilithon.cli.drill.load import Load
from trilithon.cli.drill.outcome import Outcome
from trilithon.cli.drill.stage import Drill, Stage
from trilithon.cli.embedded import running_cluster
from trilithon.cli.up import NotReady

# Before the fault and after it; between fault and repair.
CALM_S: Final = 3.0
HARM_S: Final = 6.0
# The load is well again after so many more transfers.
_HEALTHY_COMMITS: Final = 20
_HEALTHY_S: Final = 60.0


class DrillFailed(demo.CheckFailed):
    """A promise was broken; `outcome` is all that was observed until then."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.broken)
        self.outcome = outcome


def run_drill(
    drill: Drill,
    *,
    repeat: int = 1,
    lease_ttl_ms: int = 0,
    calm_s: float = CALM_S,
    harm_s: float = HARM_S,
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Raises DrillFailed when a promise is broken.

    With `repeat` a fault ends soon after the surviving Regions commit again, `harm_s` at the latest.
    """
    outcome = Outcome(drill.name)
    progress("starting a cluster")
    with running_cluster(rtt_ms=drill.rtt_ms, lease_ttl_ms=lease_ttl_ms) as cluster:
        ends = [
            demo.RegionEndpoints(region, found["postgresql"], found["grpc"])
            for region, found in cluster.endpoints.items()
        ]
        with trilithon.client.connect([end.grpc for end in ends]) as db:
            load = Load(db, ends, outcome)
            stage = Stage(cluster, outcome, load.recorder.began, harm_s, shorten=repeat > 1)
            try:
                _strike(drill, load, stage, repeat, calm_s, progress)
                progress("checking the ledger and the history")
                load.check()
            except (demo.CheckFailed, NotReady, TimeoutError) as error:
                outcome.broken = str(error)
                failed = DrillFailed(outcome)
                failed.add_note(cluster.log_tails())
                raise failed from error
    return outcome


def _strike(
    drill: Drill,
    load: Load,
    stage: Stage,
    repeat: int,
    calm_s: float,
    progress: Callable[[str], None],
) -> None:
    load.start()
    try:
        load.wait_for_commits(_HEALTHY_COMMITS, _HEALTHY_S)
        for turn in range(repeat):
            stage.let_pass(calm_s)
            progress(f"{drill.about} ({turn + 1} of {repeat})" if repeat > 1 else drill.about)
            drill.fault(stage)
            load.wait_for_commits(_HEALTHY_COMMITS, _HEALTHY_S)
        stage.let_pass(calm_s)
    finally:
        stage.end()
        load.stop()
