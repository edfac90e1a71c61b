"""The adjudicator role with real journals, over gRPC on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from adjudicator_cluster import Cluster

from trilithon.core.errors import Unavailable
from trilithon.link.specs import ADJUDICATOR_REPLACE_JOURNAL
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import types_pb2 as types

COMMITTED = adjudicator.Verdict.OUTCOME_COMMITTED
ABORTED = adjudicator.Verdict.OUTCOME_ABORTED


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path)
    await cluster.start()
    yield cluster
    await cluster.close()


async def test_commits_from_both_regions_conflicts_and_status(cluster: Cluster) -> None:
    await cluster.leader()
    journals = {name: cluster.link(f"{name}/journal-0") for name in "ab"}
    adjudicators = {name: cluster.link(f"{name}/adjudicator-0") for name in "ab"}
    for region in "ab":
        snapshot = await cluster.snapshot(journals[region])
        request = cluster.commit(snapshot, b"key" + region.encode(), b"1")
        transaction_id = request.commit.transaction_id
        reply = await adjudicators[region].request(request, timeout=10)
        assert reply.verdict.outcome == COMMITTED
        assert reply.verdict.csn > snapshot
        # Whoever begins now, anywhere, sees it.
        for other in "ab":
            assert await cluster.snapshot(journals[other]) >= reply.verdict.csn
        late = await adjudicators[region].request(
            cluster.commit(snapshot, b"key" + region.encode(), b"2"), timeout=10
        )
        assert late.verdict.outcome == ABORTED
        assert late.verdict.error.sqlstate == "40001"
        assert "OC000" in late.verdict.error.message
        assert late.verdict.conflict_key == b"key" + region.encode()
        for other in "ab":
            question = adjudicator.AdjudicatorRequest(
                transaction_status=adjudicator.TransactionStatusRequest(
                    transaction_id=transaction_id, snapshot_csn=snapshot
                )
            )
            answer = await adjudicators[other].request(question, timeout=10)
            assert answer.verdict.outcome == COMMITTED
            assert answer.verdict.csn == reply.verdict.csn


async def test_an_id_that_was_asked_about_never_commits(cluster: Cluster) -> None:
    await cluster.leader()
    snapshot = await cluster.snapshot(cluster.link("a/journal-0"))
    request = cluster.commit(snapshot, b"key", b"1")
    question = adjudicator.AdjudicatorRequest(
        transaction_status=adjudicator.TransactionStatusRequest(
            transaction_id=request.commit.transaction_id, snapshot_csn=snapshot
        )
    )
    answer = await cluster.link("b/adjudicator-0").request(question, timeout=10)
    assert answer.verdict.outcome == ABORTED
    reply = await cluster.link("a/adjudicator-0").request(request, timeout=10)
    assert reply.verdict.outcome == ABORTED


async def test_bad_requests_harm_nobody(cluster: Cluster) -> None:
    await cluster.leader()
    snapshot = await cluster.snapshot(cluster.link("a/journal-0"))
    for region in "ab":
        link = cluster.link(f"{region}/adjudicator-0")
        bad = [
            adjudicator.AdjudicatorRequest(),
            adjudicator.AdjudicatorRequest(commit=adjudicator.CommitRequest()),
            cluster.commit(snapshot, b"", b""),
            cluster.commit(snapshot, b"key", b"1"),
            cluster.commit(snapshot + 1000, b"key", b"1"),
            adjudicator.AdjudicatorRequest(
                transaction_status=adjudicator.TransactionStatusRequest(transaction_id=b"short")
            ),
        ]
        bad[3].commit.write_set = b"\xff\xff"
        replies = await asyncio.gather(*(link.request(one, timeout=10) for one in bad))
        codes = [reply.failure.code for reply in replies]
        assert codes == [types.Failure.CODE_INVALID] * len(bad)
        good = cluster.commit(snapshot, b"good" + region.encode(), b"1")
        assert (await link.request(good, timeout=10)).verdict.outcome == COMMITTED


async def test_the_leader_stops_and_the_other_takes_over(cluster: Cluster) -> None:
    leader = await cluster.leader()
    other = "b/adjudicator-0" if leader[0] == "a" else "a/adjudicator-0"
    snapshot = await cluster.snapshot(cluster.link(f"{other[0]}/journal-0"))
    link = cluster.link(other)
    first = await link.request(cluster.commit(snapshot, b"key", b"1"), timeout=10)
    await cluster.stop(leader)
    reply = await link.request(cluster.commit(first.verdict.csn, b"key", b"2"), timeout=15)
    assert reply.verdict.outcome == COMMITTED
    assert await cluster.leader() == other
    await cluster.start(leader)
    status = await cluster.status(leader)
    async with asyncio.timeout(10):
        while status.settled_csn < reply.verdict.csn:
            await asyncio.sleep(0.02)
            status = await cluster.status(leader)
    assert status.leader == other


async def test_a_lost_region_does_not_stop_the_other(cluster: Cluster) -> None:
    await cluster.leader()
    snapshot = await cluster.snapshot(cluster.link("a/journal-0"))
    await cluster.stop("b/journal-0", "b/adjudicator-0")
    reply = await cluster.link("a/adjudicator-0").request(
        cluster.commit(snapshot, b"key", b"1"), timeout=15
    )
    assert reply.verdict.outcome == COMMITTED
    assert await cluster.snapshot(cluster.link("a/journal-0")) >= reply.verdict.csn


async def test_a_journal_with_a_new_disk_takes_the_place_of_the_lost_one(
    cluster: Cluster, tmp_path: Path
) -> None:
    leader = await cluster.leader()
    region = leader[0]
    snapshot = await cluster.snapshot(cluster.link(f"{region}/journal-0"))
    link = cluster.link(leader)
    assert (
        await link.request(cluster.commit(snapshot, b"key", b"1"), timeout=10)
    ).verdict.outcome == COMMITTED
    old = {member.incarnation for member in (await cluster.status(leader)).members.members}
    await cluster.stop("w/journal-0")
    for file in (tmp_path / "w-journal-0").rglob("*"):
        if file.is_file():
            file.unlink()
    await cluster.start("w/journal-0")
    reply = await cluster.network.call(
        cluster.running[leader].address,
        ADJUDICATOR_REPLACE_JOURNAL,
        adjudicator.ReplaceJournalRequest(journal="w/journal-0"),
        timeout=20,
    )
    new = {member.incarnation for member in reply.members.members}
    assert len(new) == 3
    assert len(new & old) == 2
    with pytest.raises(Unavailable, match="no journal"):
        await cluster.network.call(
            cluster.running[leader].address,
            ADJUDICATOR_REPLACE_JOURNAL,
            adjudicator.ReplaceJournalRequest(journal="x/journal-0"),
            timeout=20,
        )
