"""Well-formed messages that make no sense, over real links to every role: impossible csns, unknown
ids, empty items, wrong incarnations, huge keys. Each gets a clear failure and changes nothing."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from badinput_support import ANSWER_S
from harness import Cluster

from trilithon.chassis.clock import SystemClock
from trilithon.core.ids import make_transaction_id
from trilithon.link import GrpcNetwork, specs
from trilithon.v1 import adjudicator_pb2, journal_pb2, sql_pb2, storage_pb2, types_pb2

Failure = types_pb2.Failure
INVALID = Failure.CODE_INVALID
TOP = (1 << 64) - 1
SPECS = {
    "query": specs.SQL,
    "adjudicator": specs.ADJUDICATOR,
    "journal": specs.JOURNAL,
    "storage": specs.STORAGE,
}


class Links:
    """A link to each process, by its name in the configuration."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.network = GrpcNetwork()
        self._links: dict[str, Any] = {}

    def to(self, name: str) -> Any:
        if name not in self._links:
            region = self.cluster.config.region(name.split("/")[0])
            role = name.split("/")[1].partition("-")[0]
            process = next(one for one in getattr(region, role) if one.name == name)
            self._links[name] = self.network.link(SPECS[role], process.address)
        return self._links[name]

    async def ask(self, name: str, item: Any) -> Any:
        return await self.to(name).request(item, timeout=ANSWER_S)

    async def failures(self, name: str, items: list[Any]) -> list[int]:
        replies = await asyncio.gather(*(self.ask(name, item) for item in items))
        for reply in replies:
            assert reply.failure.message or reply.WhichOneof("reply") != "failure", "why is said"
        return [reply.failure.code for reply in replies]

    async def close(self) -> None:
        for link in self._links.values():
            await link.close()


@pytest.fixture
async def links(watched: Cluster) -> AsyncIterator[Links]:
    links = Links(watched)
    yield links
    await links.close()


# ---- journals


def candidate(life: bytes = b"L" * 16, name: str = "nobody") -> journal_pb2.Candidate:
    return journal_pb2.Candidate(name=name, region="a", life=life, address="127.0.0.1:1")


@pytest.mark.parametrize("name", ["a/journal-0", "b/journal-0", "w/journal-0"])
async def test_journals(links: Links, name: str) -> None:
    Request, Promise, Append = journal_pb2.JournalRequest, journal_pb2.Promise, journal_pb2.Append
    address = links.cluster.config.region(name[0]).journal[0].address
    before = await links.network.call(
        address, specs.JOURNAL_STATUS, journal_pb2.JournalStatusRequest(), timeout=ANSWER_S
    )
    epoch, ttl = before.promised_epoch, 1_500_000
    right: dict[str, Any] = {
        "epoch": epoch,
        "leader": candidate(),
        "lease_ttl_us": ttl,
        "incarnation": before.incarnation,
    }
    nonsense = [
        Request(),
        Request(promise=Promise()),
        Request(promise=Promise(epoch=0, candidate=candidate(), lease_ttl_us=ttl)),
        Request(promise=Promise(epoch=1 << 25, candidate=candidate(), lease_ttl_us=ttl)),
        Request(promise=Promise(epoch=(1 << 24) - 1, candidate=candidate(), lease_ttl_us=ttl)),
        Request(promise=Promise(epoch=epoch + 1, candidate=candidate(b"?"), lease_ttl_us=ttl)),
        Request(promise=Promise(epoch=epoch + 1, candidate=candidate(), lease_ttl_us=0)),
        Request(promise=Promise(epoch=epoch + 1, candidate=candidate(), lease_ttl_us=-5)),
        Request(pre_vote=journal_pb2.PreVote(epoch=0, candidate=candidate())),
        Request(
            pre_vote=journal_pb2.PreVote(epoch=epoch + 1, candidate=candidate(name="x" * 9999))
        ),
        Request(append=Append(**right, settled_csn=TOP)),
        Request(append=Append(**right, entries=[types_pb2.Entry(csn=TOP, previous_csn=3)])),
        Request(append=Append(**right, marks=[journal_pb2.Mark(incarnation=b"short")])),
        Request(append=Append(**(right | {"epoch": (1 << 24) - 1}))),
    ]
    assert await links.failures(name, nonsense) == [INVALID] * len(nonsense)

    # A stranger's words about this epoch, or to another incarnation, change nothing.
    wrong = Append(**(right | {"incarnation": os.urandom(16)}))
    assert await links.failures(name, [Request(append=wrong)]) == [Failure.CODE_WRONG_TARGET]
    usurper = await links.ask(name, Request(append=Append(**right, previous_csn=before.last_csn)))
    assert usurper.WhichOneof("reply") in ("refused", "failure")
    early = Promise(epoch=epoch + 1, candidate=candidate(), lease_ttl_us=ttl)
    assert (await links.ask(name, Request(promise=early))).WhichOneof("reply") == "refused"

    csns = [1, before.last_csn + 10_000, TOP, (epoch + 7) << 40]
    feeds = [Request(subscribe=journal_pb2.Subscribe(after_csn=csn)) for csn in csns]
    reads = [Request(read_log=journal_pb2.ReadLog(after_csn=csn, to_csn=csn)) for csn in csns]
    applied = [Request(applied=journal_pb2.Applied(storage="nobody", csn=csn)) for csn in csns]
    for item in [*feeds, *reads]:
        reply = await links.ask(name, item)
        assert reply.WhichOneof("reply") in ("failure", "log_part"), item
    for item in applied:
        links.to(name).post(item)

    after = await links.network.call(
        address, specs.JOURNAL_STATUS, journal_pb2.JournalStatusRequest(), timeout=ANSWER_S
    )
    assert (after.promised_epoch, after.leader) == (epoch, before.leader)
    assert "nobody" not in {one.storage for one in after.applied}


# ---- storage


async def test_storage(links: Links) -> None:
    Request, Point, Range = (
        storage_pb2.StorageRequest,
        storage_pb2.PointRead,
        storage_pb2.RangeRead,
    )
    nonsense = [
        Request(),
        Request(point_read=Point(snapshot_csn=1, keys=[b""])),
        Request(point_read=Point(snapshot_csn=1, keys=[b"k" * 1971])),
        Request(point_read=Point(snapshot_csn=1, keys=[b"k" * 5_000_000])),
        Request(point_read=Point(snapshot_csn=1, keys=[b"k"] * 100_000)),
        Request(point_read=Point(keys=[b"k"], program=b"\xc1")),
        Request(point_read=Point(keys=[b"k"], program=os.urandom(500))),
        Request(point_read=Point(keys=[b"k"], program=b"x" * (3 << 20))),
        Request(range_read=Range(range=types_pb2.KeyRange(start=b"k" * 4000))),
        Request(range_read=Range(range=types_pb2.KeyRange(end=b"k" * 4000))),
        Request(range_read=Range(program=b"\x95\1\2")),
    ]
    for name in ("a/storage-0", "b/storage-0"):
        codes = await links.failures(name, nonsense)
        assert codes == [INVALID] * len(nonsense)
        links.to(name).post(Request(cancel=storage_pb2.Cancel(correlation_id=TOP)))


# ---- adjudicators


class Commits:
    def __init__(self, links: Links) -> None:
        self.links = links
        self._random = random.Random(11)

    async def snapshot(self) -> int:
        request = journal_pb2.JournalRequest(snapshot=journal_pb2.SnapshotRequest())
        reply = await self.links.ask("a/journal-0", request)
        csn: int = reply.snapshot.csn
        assert csn
        return csn

    def commit(self, snapshot: int, write_set: bytes, **more: Any) -> Any:
        more.setdefault(
            "transaction_id", make_transaction_id(SystemClock().wall_us(), self._random)
        )
        return adjudicator_pb2.AdjudicatorRequest(
            commit=adjudicator_pb2.CommitRequest(snapshot_csn=snapshot, write_set=write_set, **more)
        )


def writes(key: bytes, mode: int = types_pb2.MODE_EXCLUSIVE) -> bytes:
    write = types_pb2.Write(key=key, mode=mode, value=b"\x90")  # type: ignore[arg-type]
    return types_pb2.WriteSet(writes=[write]).SerializeToString()


def locks(key: bytes, mode: int = types_pb2.MODE_EXCLUSIVE) -> bytes:
    lock = types_pb2.Lock(key=key, mode=mode)  # type: ignore[arg-type]
    return types_pb2.WriteSet(locks=[lock]).SerializeToString()


@pytest.mark.parametrize("name", ["a/adjudicator-0", "b/adjudicator-0"])
async def test_adjudicators(links: Links, name: str) -> None:
    """The leader and a follower."""
    make = Commits(links)
    snapshot = await make.snapshot()
    commit, Check = make.commit, adjudicator_pb2.ReadCheck
    odd_range = types_pb2.KeyRange(start=b"k" * 4000, end=b"")
    nonsense = [
        adjudicator_pb2.AdjudicatorRequest(),
        commit(snapshot, writes(b"k"), transaction_id=b""),
        commit(snapshot, writes(b"k"), transaction_id=b"seventeen bytes!!"),
        commit(snapshot, b"\xff\xff"),
        commit(snapshot, b"\x0a\x7fx"),
        commit(snapshot, writes(b"")),
        commit(snapshot, writes(b"k", mode=0)),
        commit(snapshot, writes(b"k", mode=types_pb2.MODE_KEY_SHARE)),
        commit(snapshot, writes(b"k", mode=77)),
        commit(snapshot, locks(b"k", mode=types_pb2.MODE_BLIND)),
        # Nobody could ever apply these: they must not reach the log.
        commit(snapshot, writes(b"k" * 1971)),
        commit(snapshot, writes(b"k" * 1_000_000)),
        commit(snapshot, locks(b"k" * 1971)),
        commit(snapshot, writes(b"k"), read_checks=[Check()]),
        commit(snapshot, writes(b"k"), read_checks=[Check(key=b"k" * 4000)]),
        commit(snapshot, writes(b"k"), read_checks=[Check(range=odd_range)]),
        commit(snapshot, writes(b"k"), read_checks=[Check(key=b"k")] * 10_001),
        commit(snapshot + 100_000_000, writes(b"k")),
        adjudicator_pb2.AdjudicatorRequest(
            transaction_status=adjudicator_pb2.TransactionStatusRequest(transaction_id=b"?")
        ),
    ]
    assert await links.failures(name, nonsense) == [INVALID] * len(nonsense)
    # Bound to an epoch that is not: not judged, which is no verdict.
    stray = commit(snapshot, writes(b"k"), epoch=(1 << 24) - 1)
    stray.token = 5
    stray.commit.transaction_id = bytes(16)
    await links.ask(name, stray)


async def test_snapshots_of_the_far_future_and_past(links: Links) -> None:
    make = Commits(links)
    snapshot = await make.snapshot()
    Outcome = adjudicator_pb2.Verdict.Outcome

    async def outcome(item: Any) -> Any:
        reply = await links.ask("b/adjudicator-0", item)
        return reply.verdict.outcome or reply.failure.code

    question = adjudicator_pb2.AdjudicatorRequest(
        transaction_status=adjudicator_pb2.TransactionStatusRequest(
            transaction_id=make_transaction_id(SystemClock().wall_us(), random.Random(3)),
            snapshot_csn=snapshot,
        )
    )
    reads = [
        storage_pb2.StorageRequest(point_read=storage_pb2.PointRead(snapshot_csn=csn, keys=[b"k"]))
        for csn in (TOP, TOP - 1, 900 << 40)
    ]
    future, asked, *codes = await asyncio.gather(
        outcome(make.commit(TOP, writes(b"k"))),
        outcome(question),
        *(links.failures(f"{region}/storage-0", reads) for region in "ab"),
    )
    # Waited for, within a bound; never made up.
    assert {code for region in codes for code in region} <= {INVALID, Failure.CODE_UNAVAILABLE}
    assert future in (INVALID, Failure.CODE_UNAVAILABLE, Outcome.OUTCOME_UNKNOWN)
    # An id that nobody has seen: from now on it can never commit.
    assert asked == Outcome.OUTCOME_ABORTED
    late = make.commit(
        snapshot, writes(b"k"), transaction_id=question.transaction_status.transaction_id
    )
    assert await outcome(late) == Outcome.OUTCOME_ABORTED


# ---- Sql


async def test_sql_streams(links: Links) -> None:
    Request = sql_pb2.SqlRequest
    session = 77

    async def ask(**what: Any) -> sql_pb2.SqlReply:
        reply: sql_pb2.SqlReply = await links.ask(
            "a/query-0", Request(**({"session_id": session} | what))
        )
        return reply

    async def sqlstate(**what: Any) -> str:
        return (await ask(**what)).error.sqlstate

    def execute(sql: str, *values: sql_pb2.Value) -> dict[str, Any]:
        return {"execute": sql_pb2.Execute(sql=sql, parameters=values)}

    Value = sql_pb2.Value
    assert await sqlstate(**execute("select 1")) == "08003"
    assert await sqlstate() == "08003"
    assert await sqlstate(open=sql_pb2.OpenSession(database="nowhere")) == "3D000"
    assert await sqlstate(open=sql_pb2.OpenSession(user="a\0b")) == "28000"
    assert await sqlstate(open=sql_pb2.OpenSession(settings={"no_such": "x"})) == "42704"
    opened = await ask(open=sql_pb2.OpenSession())
    assert opened.WhichOneof("reply") == "opened"
    assert (await sqlstate(open=sql_pb2.OpenSession()))[:2] == "08"
    cases = {
        "42601": execute("selekt"),
        "42P01": execute("select * from nobody"),
        "22P02": execute("select $1::int", Value(text="seven")),
        "22P03": execute("select $1::int", Value(type_oid=23, binary=b"x")),
        "22012": execute("select 1/0"),
        "54001": execute("select " + "-" * 1 + "not " * 5_000 + "true"),
        "54000": execute("select '" + "x" * (5 << 20) + "'"),
    }
    for expected, what in cases.items():
        assert await sqlstate(**what) == expected
    for what in (
        execute("select 1; select 2", Value(text="1")),
        execute("select $1::int"),
        execute("select $2::int", Value(text="1")),
        execute("select $1", Value(type_oid=4_000_000_000, text="1")),
        execute("select 'a\0b'"),
        {},
        {"fetch_more": sql_pb2.FetchMore()},
        {"transaction_status": sql_pb2.TransactionStatusQuestion(transaction_id=b"?")},
    ):
        reply = await ask(**what)
        assert reply.error.sqlstate != "XX000", (what, reply)
    parts = (await ask(**execute("select 1"))).results.parts
    assert any(part.rows for part in parts)
    assert (await ask(close=sql_pb2.CloseSession())).WhichOneof("reply") == "closed"
