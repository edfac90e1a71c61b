"""One seed: a cluster under load and faults, healed in the end, then judged."""

from __future__ import annotations

import gc
import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from checker import Checker, final_log, hold
from cluster import AdjudicatorNode, Cluster, JournalNode, Node, QueryNode, StorageNode, running
from faults import Chaos
from history import History
from observer import Violation
from sql_append import final_lists
from sql_workloads import SQL_WORKLOADS
from state_checker import check_state, unfinished_jobs
from workloads import WORKLOADS

from trilithon.cli.drill.history import Operation
from trilithon.cli.drill.judge import judge
from trilithon.core.csn import format_csn
from trilithon.query.catalog import backfill, ddl_indexes, jobs, rewriting
from trilithon.query.catalog.definitions import Job
from trilithon.query.execute import run as execute_run
from trilithon.v1 import storage_pb2
from trilithon.v1.types_pb2 import Entry

SECONDS = 20.0
# Once all faults are over: every Region commits again within this time,
SERVING_AGAIN_S = 10.0
# every client has heard of its last transaction (its own timeouts are 10 + 10 s),
CLIENTS_DONE_S = 30.0
# a journal whose disk was lost is a member again,
REPLACED_S = 15.0
# and every storage has what is settled.
CAUGHT_UP_S = 10.0
# Jobs of the catalog are finished, whoever began them.
JOBS_DONE_S = 40.0


@dataclass(slots=True)
class Plan:
    """What a run does. `faults`: names out of `faults.FAULTS`; None: all of them."""

    topology: str = "two"
    seconds: float = SECONDS
    faults: Sequence[str] | None = None
    workloads: Sequence[str] = field(default_factory=lambda: list(WORKLOADS))
    # Whole query processors and SQL clients instead of transactions on keys.
    sql: bool = False
    sql_workloads: Sequence[str] = field(default_factory=lambda: list(SQL_WORKLOADS))


@dataclass(slots=True)
class Outcome:
    fingerprint: str
    counts: dict[str, int]
    # List-append, as far as a workload did it.
    operations: list[Operation]
    # Every list as it was in the end.
    lists: dict[int, list[int]]


def simulate(seed: int, plan: Plan, show: Callable[[str], None] | None = None) -> Outcome:
    """Raises Violation. `show` gets every event in the end."""
    with quiet(), running(seed, plan.topology, sql=plan.sql) as cluster, small_jobs(cluster):
        try:
            return _simulate(cluster, plan)
        finally:
            for event in cluster.kernel.events if show is not None else ():
                show(event)  # type: ignore[misc]


@contextmanager
def quiet() -> Iterator[None]:
    """No logs; and nothing that a killed process left behind is collected meanwhile."""
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)


def _simulate(cluster: Cluster, plan: Plan) -> Outcome:
    history = History()
    if plan.sql:
        for name in plan.sql_workloads:
            SQL_WORKLOADS[name](cluster, history)
    else:
        for name in plan.workloads:
            WORKLOADS[name](cluster, history)
    vary(cluster)
    cluster.start()
    cluster.run(3.0)
    chaos = Chaos(cluster, plan.faults, storm=cluster.random.random() < 0.3)
    chaos.start()
    cluster.run(plan.seconds)
    chaos.stop()
    lists = heal_and_judge(cluster, history)
    counts = dict(history.counts)
    counts["epochs"] = len(cluster.observer.epochs)
    counts["snapshots"] = cluster.observer.snapshots
    for name, count in chaos.counts.items():
        counts[f"fault: {name}"] = count
    text = "\n".join(cluster.kernel.events) + repr(sorted(counts.items()))
    text += "".join(entry.SerializeToString(deterministic=True).hex() for entry in _all(cluster))
    return Outcome(hashlib.sha256(text.encode()).hexdigest(), counts, history.operations, lists)


def vary(cluster: Cluster) -> None:
    """Settings of this run: small bounds, so that they are met, and processes configured apart."""
    draw = cluster.random
    if draw.random() < 0.3:
        # Windows, memory and the log are exceeded; the log is trimmed.
        cluster.adjudicator_settings = {
            "window_entries_max": 400,
            "log_bytes_max": 40_000,
            "warm_entries": 100,
        }
        cluster.journal_settings = {"memory_bytes_max": 20_000, "window_us": 3_000_000}
    if draw.random() < 0.3:
        # Everything goes in small pieces.
        cluster.adjudicator_settings |= {
            "append_entries_max": 3,
            "append_bytes_max": 1_000,
            "in_flight_bytes_max": 6_000,
            "unsettled_entries_max": 60,
        }
        cluster.journal_settings |= {
            "feed_chunk_bytes": 300,
            "feed_burst_bytes": 20_000,
            "read_log_bytes_max": 10_000,
            "unsynced_bytes_max": 20_000,
        }
    if draw.random() < 0.2:
        # Adjudicators forward the same again and again.
        cluster.impatient = True
    if draw.random() < 0.3:
        # Old versions are collected while transactions still read.
        cluster.storage_settings = {"keep_us": 2_000_000}
    if draw.random() < 0.2:
        cluster.storage_memory_bytes = 20_000
    if draw.random() < 0.15:
        for node in cluster.nodes.values():
            node.lease_ttl_ms = draw.choice([700, 1_000, 1_400])


@contextmanager
def small_jobs(cluster: Cluster) -> Iterator[None]:
    """Jobs of the catalog take many steps, and are soon taken for abandoned; nothing goes by real time."""
    draw = cluster.random
    reclaimed, batch = draw.choice([7, 500]), draw.choice([3, 8, 256])
    settings: list[tuple[Any, str, Any]] = [
        (jobs, "ABANDONED_AFTER_US", 3_000_000),
        (jobs, "POLL_SECONDS", 1.0),
        (jobs, "RECLAIM_ROWS", reclaimed),
        (backfill, "BATCH_ROWS", batch),
        (rewriting, "BATCH_ROWS", batch),
        (ddl_indexes, "INLINE_ROWS_MAX", draw.choice([0, 20])),
        # A long statement lets others have a turn by this machine's real speed.
        (execute_run, "TURN_SECONDS", float("inf")),
    ]
    before = [getattr(owner, name) for owner, name, _ in settings]
    for owner, name, value in settings:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for (owner, name, _), value in zip(settings, before, strict=True):
            setattr(owner, name, value)


def _all(cluster: Cluster) -> list[object]:
    entries = cluster.observer.entries
    return [entries[csn] for csn in sorted(entries)]


def heal_and_judge(cluster: Cluster, history: History) -> dict[int, list[int]]:
    """Faults are over: the cluster must come back by itself, and what it did must have been right.
    Returns the lists of list-append as they are in the end."""
    cluster.healing = True
    since_s = cluster.kernel.now_s
    for node in cluster.nodes.values():
        cluster.kernel.at(cluster.kernel.random.uniform(0, 0.5), node.start)
    queries: list[Node] = [*cluster.of(QueryNode), *cluster.client_nodes.values()]

    def serving() -> set[str]:
        return {
            record.process
            for record in history.records
            if record.started_s > since_s and record.outcome == "committed"
        }

    def all_serve() -> bool:
        return serving() >= {node.name for node in queries}

    try:
        cluster.run_until(all_serve, SERVING_AGAIN_S, "every Region commits again")
    except Exception:
        for line in describe(cluster):
            cluster.kernel.note(line)
        raise
    cluster.run_until(lambda: not cluster.replacing, REPLACED_S, f"{cluster.replacing} is replaced")
    cluster.clients_run = False
    cluster.run_until(
        lambda: all(not _client_tasks(node) for node in queries),
        CLIENTS_DONE_S,
        "every client hears of its last transaction",
    )
    if cluster.client_nodes:
        _await_jobs(cluster, history)
    cluster.run(1.0)
    storages: list[StorageNode] = cluster.of(StorageNode)
    cluster.run_until(
        lambda: all(
            node.up and node.running.machine.settled >= cluster.observer.settled_csn
            for node in storages
        ),
        CAUGHT_UP_S,
        "every storage has what is settled",
    )
    return _judge(cluster, history)


def _await_jobs(cluster: Cluster, history: History) -> None:
    def none_left() -> bool:
        cluster.run(0.5)
        return unfinished(cluster, history) == []

    cluster.run_until(none_left, JOBS_DONE_S, "every job of the catalog is finished")


def unfinished(cluster: Cluster, history: History) -> list[Job] | None:
    """The catalog's jobs; None: the journals do not all have the newest entry yet."""
    try:
        final = final_log(cluster.observer, _logs(cluster))
    except Violation:
        return None
    return unfinished_jobs(Checker(final, history).state())


def _logs(cluster: Cluster) -> dict[str, tuple[int, list[Entry]]]:
    return {
        node.name: (node.disk.state.base.csn, list(node.disk.state.entries))
        for node in cluster.of(JournalNode)
        if not node.disk.retired
    }


def _client_tasks(node: Node) -> bool:
    import asyncio

    loop = node.process.loop
    if loop is None:
        return True
    return any(
        task.get_coro().__qualname__ in ("Workload._run", "SqlWorkload._run")  # type: ignore[union-attr]
        for task in asyncio.all_tasks(loop)
    )


def _judge(cluster: Cluster, history: History) -> dict[int, list[int]]:
    """The lists of list-append, as they are in the end."""
    final = final_log(cluster.observer, _logs(cluster))
    checker = Checker(final, history)
    checker.check()
    lists: dict[int, list[int]] = {}
    if cluster.client_nodes:
        state = checker.state()
        check_state(state)
        commits = checker.commits()
        for one in history.judges:
            one(state, commits)
        lists = final_lists(state)
        verdict = judge(history.operations, lists)
        hold(not verdict.violations, "; ".join(verdict.violations))
    expected = checker.checksum()
    for region in cluster.full_regions:
        found = _region_checksum(cluster, region)
        hold(
            found == expected,
            f"the storage of Region {region} has checksum and rows {found}, the log says {expected}",
        )
    cluster.observer.check()
    return lists


def _region_checksum(cluster: Cluster, region: str) -> tuple[int, int]:
    parts: list[storage_pb2.StorageChecksum] = []
    nodes: list[StorageNode] = cluster.of(StorageNode, region)
    csn = cluster.observer.settled_csn
    for node in nodes:

        async def ask(node: StorageNode = node) -> None:
            request = storage_pb2.StorageChecksumRequest(csn=csn)
            parts.append(await node.running.service.checksum(request))

        node.process.run(ask())
    cluster.run_until(lambda: len(parts) == len(nodes), 10.0, f"a checksum of Region {region}")
    total = sum(part.checksum for part in parts) & (1 << 64) - 1
    return total, sum(part.rows for part in parts)


def describe(cluster: Cluster) -> list[str]:
    """The state of every process in one line each."""
    lines = []
    for node in cluster.nodes.values():
        state = "up" if node.up else "down" if not node.process.running else "starting"
        if node.process.paused:
            state = "paused"
        text = f"{node.name}: {state}"
        now_us = node.process.monotonic_us()
        if node.up and isinstance(node, JournalNode):
            machine = node.running.machine
            text += (
                f" epoch {machine.promised_epoch} leader {machine.leader or '-'} tail "
                f"{format_csn(machine.tail_csn)} synced {format_csn(machine.synced_csn)} settled "
                f"{format_csn(machine.settled_csn)} lease {machine.lease_left_us(now_us)} us"
            )
        if node.up and isinstance(node, AdjudicatorNode):
            status = node.running.machine.status(now_us)
            text += (
                f" {status.state} epoch {status.epoch} last {format_csn(status.last_csn)} settled "
                f"{format_csn(status.settled_csn)} pending {status.pending}"
            )
        if node.up and isinstance(node, StorageNode):
            machine = node.running.machine
            text += (
                f" position {format_csn(machine.position)} settled {format_csn(machine.settled)}"
            )
            text += f" feed {node.running.feed.journal or '-'} {node.running.feed.problem}"
        lines.append(text)
    return lines
