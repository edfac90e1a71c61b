"""SQL through the SDK on whole clusters under faults; `simulate.py --sql` runs more of it.

With every rule of `mutations_sql` and `mutations_rewriting` that is switched off the checkers must notice: a few cheap ones always,
all with TRILITHON_ALL_RULES=1 (`make prove`).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import mutations_rewriting
import mutations_sql
import pytest
from cluster import ClientNode, Cluster, SqlQueryNode, running
from fault_processes import keep_down
from history import History
from observer import Violation
from run import Plan, heal_and_judge, quiet, simulate, small_jobs, unfinished
from simulate import replay_command
from sql_backfill import SqlBackfill
from sql_rewriting import SqlRewriting
from sql_workload import insist
from state_checker import State, named_rows
from topologies import TOPOLOGIES

from trilithon.client.errors import ConnectionLost, DatabaseError
from trilithon.query.catalog import rewriting
from trilithon.query.catalog.definitions import Job, JobKind

ALL = bool(os.environ.get("TRILITHON_ALL_RULES"))
RULES = mutations_sql.RULES | mutations_rewriting.RULES
PROVEN = mutations_sql.PROVEN | mutations_rewriting.PROVEN
CHEAP = [*mutations_sql.CHEAP, *mutations_rewriting.CHEAP]
# What a mistake in a broken rule, or in the workload, would look like.
_MISTAKES = (TypeError, AttributeError, NameError, KeyError, UnboundLocalError)

pytestmark = pytest.mark.timeout(1_200)


@pytest.mark.parametrize(
    ("seed", "topology"), [(7, "two"), (int.from_bytes(os.urandom(4)), "many")], ids=["two", "many"]
)
def test_promises_hold_for_sql_under_all_faults(seed: int, topology: str) -> None:
    plan = Plan(topology, 4.0, sql=True)
    try:
        outcome = simulate(seed, plan)
    except Exception as error:
        pytest.fail(
            f"{replay_command(seed, plan)}\n{error}", pytrace=not isinstance(error, Violation)
        )
    assert outcome.counts["sql committed"] > 20


@pytest.mark.parametrize("name", PROVEN if ALL else CHEAP)
def test_a_rule_that_is_switched_off_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    RULES[name](monkeypatch.setattr)
    topologies = list(TOPOLOGIES)
    workloads, seeds = PROVEN[name]
    for seed in range(seeds):
        plan = Plan(topologies[seed % len(topologies)], 8.0, sql=True, sql_workloads=workloads)
        try:
            simulate(seed, plan)
        except Violation as violation:
            assert not isinstance(violation.__cause__, _MISTAKES), "the mutation itself is broken"
            return
    pytest.fail(f"{seeds} seeds without the rule {name}, and nothing was noticed")


def test_every_rule_has_a_proof() -> None:
    assert sorted(PROVEN) == sorted(RULES)
    assert not mutations_sql.RULES.keys() & mutations_rewriting.RULES.keys()


def test_the_same_seed_gives_the_same_events_whatever_the_hashes() -> None:
    script = Path(__file__).with_name("simulate.py")
    command = [sys.executable, str(script), "--seed", "5", "--topology", "two", "--seconds", "1.5"]
    runs = [
        subprocess.run(
            [*command, "--fingerprint", "--sql"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=500,
            check=True,
        ).stdout.splitlines()[0]
        for hash_seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_a_job_is_taken_over_from_a_runner_whose_clock_is_a_day_ahead() -> None:
    with quiet(), running(3, "two", sql=True) as cluster, small_jobs(cluster):
        history = History()
        SqlBackfill(cluster, history).kills = False
        for node in cluster.nodes.values():
            if node.region.name == "a":
                node.process.wall_jump_us = 86_400_000_000
        cluster.start()
        cluster.run(4.0)
        _build(cluster, cluster.client_nodes["a/client"])
        undo = keep_down(cluster.of(SqlQueryNode, "a"))
        cluster.run(12.0)
        assert "extra" not in [job.object_name for job in _unfinished(cluster, history)]
        undo()
        heal_and_judge(cluster, history)


def test_rows_are_made_by_the_other_region_when_the_builder_dies_in_the_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with quiet(), running(4, "two", sql=True) as cluster, small_jobs(cluster):
        monkeypatch.setattr(rewriting, "BATCH_ROWS", 3)
        history = History()
        SqlRewriting(cluster, history).changes_share = 0.0
        cluster.start()
        cluster.run(4.0)
        client = cluster.client_nodes["a/client"]
        client.process.run(_convert(client))

        def in_the_middle() -> bool:
            left = unfinished(cluster, history) or []
            return any(job.kind is JobKind.REWRITE and job.rows_done for job in left)

        cluster.run_until(in_the_middle, 10.0, "some rows are made")
        undo = keep_down(cluster.of(SqlQueryNode, "a"))
        cluster.run(12.0)
        assert not [job for job in _unfinished(cluster, history) if job.kind is JobKind.REWRITE]
        converted: list[State] = []
        history.judges.append(lambda state, commits: converted.append(state))
        undo()
        heal_and_judge(cluster, history)
        assert {type(row["v"]) for row in named_rows(converted[0], "formed")} == {str}


async def _convert(client: ClientNode) -> None:
    with contextlib.suppress(ConnectionLost, DatabaseError):
        await client.client.execute("ALTER TABLE formed ALTER COLUMN v TYPE text USING 't' || v")


def _build(cluster: Cluster, client: ClientNode) -> None:
    """Submitted in Region a, whose query processors die the moment that it is."""
    done: list[None] = []

    async def build() -> None:
        await insist(client.client, "CREATE INDEX ASYNC extra ON items (who)")
        done.append(None)

    client.process.run(build())
    cluster.run_until(lambda: bool(done), 10.0, "the job is submitted")


def _unfinished(cluster: Cluster, history: History) -> list[Job]:
    found: list[list[Job]] = []

    def known() -> bool:
        left = unfinished(cluster, history)
        found.extend([] if left is None else [left])
        return bool(found)

    cluster.run_until(known, 5.0, "all journals agree for a moment")
    return found[0]
