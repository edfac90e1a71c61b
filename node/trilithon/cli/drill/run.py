"""One drill: a fresh cluster, a load from every Region, the fault, the checks.

Every drill checks the same promises at its end: no acknowledged transfer missing, none there twice, every
balance adds up, no reader ever saw another sum.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import trilithon.client
from trilithon.cli import banking, demo
from trilithon.cli.drill.load import READ_TIMEOUT_S, Recorder, read_forever
from trilithon.cli.drill.outcome import Outcome
from trilithon.cli.drill.stage import Drill, Stage
from trilithon.cli.embedded import Cluster, running_cluster

OPENING: Final = Decimal("500.00")
ACCOUNTS: Final = 40
# Before the fault and after it; between fault and repair.
CALM_S: Final = 3.0
HARM_S: Final = 6.0
# The load is well again after so many more transfers.
_HEALTHY_COMMITS: Final = 20


def run_drill(
    drill: Drill,
    *,
    lease_ttl_ms: int = 0,
    calm_s: float = CALM_S,
    harm_s: float = HARM_S,
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """A fresh cluster, a load from every Region, the fault, the checks.

    Raises demo.CheckFailed when a promise is broken.
    """
    outcome = Outcome(drill.name)
    progress("starting a cluster")
    with running_cluster(rtt_ms=drill.rtt_ms, lease_ttl_ms=lease_ttl_ms) as cluster:
        ends = [
            demo.RegionEndpoints(region, found["postgresql"], found["grpc"])
            for region, found in cluster.endpoints.items()
        ]
        with trilithon.client.connect([end.grpc for end in ends]) as db:
            for sql in banking.SCHEMA:
                db.execute(sql)
            accounts = demo.open_accounts(db, ACCOUNTS, OPENING)
            _under_load(drill, cluster, ends, accounts, outcome, (calm_s, harm_s), progress)
            progress("checking the ledger")
            demo.check_ledger(db, accounts, OPENING, outcome.report)
    return outcome


def _under_load(
    drill: Drill,
    cluster: Cluster,
    ends: Sequence[demo.RegionEndpoints],
    accounts: Sequence[uuid.UUID],
    outcome: Outcome,
    durations_s: tuple[float, float],
    progress: Callable[[str], None],
) -> None:
    calm_s, harm_s = durations_s
    recorder = Recorder(outcome)
    load = demo.Load(ends, accounts, workers=2, committed=recorder.answered)
    stop = threading.Event()
    readers = [
        threading.Thread(
            target=read_forever,
            args=(end.region, end.grpc, accounts[0], recorder, stop),
            daemon=True,
        )
        for end in ends
    ]
    load.start()
    load.wait_for_commits(_HEALTHY_COMMITS, limit_s=60)
    for reader in readers:
        reader.start()
    stage = Stage(cluster, outcome, recorder.began, harm_s)
    try:
        progress("calm")
        stage.let_pass(calm_s)
        progress(drill.about)
        drill.fault(stage)
        load.wait_for_commits(_HEALTHY_COMMITS, limit_s=60)
        stage.let_pass(calm_s)
    finally:
        outcome.seconds = stage.now_s()
        stop.set()
        outcome.report = load.stop()
        for reader in readers:
            reader.join(timeout=2 * READ_TIMEOUT_S)
    demo.check(not outcome.report.errors, "; ".join(outcome.report.errors[:3]))
