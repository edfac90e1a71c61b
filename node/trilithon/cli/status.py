"""Asking every process of a cluster how it is, in parallel, with short timeouts."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.chassis.config import ClusterConfig
from trilithon.chassis.load import processes_of
from trilithon.chassis.main import read_tls
from trilithon.cli.state import ClusterState
from trilithon.core.errors import Unavailable
from trilithon.link import GrpcNetwork, specs
from trilithon.v1 import adjudicator_pb2, journal_pb2, sql_pb2, storage_pb2

_METHODS: Final[Mapping[str, tuple[str, Any]]] = {
    "query": (specs.SQL_STATUS, sql_pb2.QueryStatusRequest),
    "adjudicator": (specs.ADJUDICATOR_STATUS, adjudicator_pb2.AdjudicatorStatusRequest),
    "journal": (specs.JOURNAL_STATUS, journal_pb2.JournalStatusRequest),
    "witness": (specs.JOURNAL_STATUS, journal_pb2.JournalStatusRequest),
    "storage": (specs.STORAGE_STATUS, storage_pb2.StorageStatusRequest),
}


@dataclass(slots=True)
class ProcessStatus:
    """One line of `trilithon status`. None: this role has no such thing, or it does not answer."""

    region: str
    role: str
    name: str
    address: str
    pid: int | None = None
    # The role's own word (leader, follower, ...), "up", or "down".
    state: str = "down"
    postgresql: str | None = None
    metrics: str | None = None
    restarts: int = 0
    uptime_s: float | None = None
    epoch: int | None = None
    leader: str | None = None
    lease_ms: int | None = None
    last_csn: int | None = None
    synced_csn: int | None = None
    settled_csn: int | None = None
    applied_csn: int | None = None
    slots: tuple[int, int] | None = None
    bytes_used: int | None = None
    sessions: int | None = None
    transactions: int | None = None
    commits: int | None = None
    conflicts: int | None = None
    pending: int | None = None
    # Why it does not answer, or what the supervisor says.
    note: str = ""

    @property
    def up(self) -> bool:
        return self.state != "down"

    @property
    def serves(self) -> bool:
        """Up, and, for a full Region's journal, with a read lease."""
        return self.up and (self.role != "journal" or bool(self.lease_ms))


@dataclass(slots=True)
class ClusterStatus:
    cluster: str
    leader: str | None
    endpoints: dict[str, dict[str, str]]
    processes: list[ProcessStatus] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "cluster": self.cluster,
            "leader": self.leader,
            "endpoints": self.endpoints,
            "processes": [
                {name: getattr(one, name) for name in ProcessStatus.__slots__}
                for one in self.processes
            ],
        }

    def missing(self) -> list[str]:
        """What is still to come before every full Region reads and writes, in words."""
        waits = [f"{one.name} does not answer" for one in self.processes if not one.up]
        if self.leader is None:
            waits.append("no leader yet")
        for region in self.endpoints:
            leases = [
                one.lease_ms or 0
                for one in self.processes
                if one.region == region and one.role == "journal"
            ]
            if not any(lease > 0 for lease in leases):
                waits.append(f"no read lease in Region {region} yet")
        return waits


def endpoints_of(config: ClusterConfig) -> dict[str, dict[str, str]]:
    """Per full Region: where PostgreSQL clients and the SDK connect."""
    return {
        region.name: {
            "postgresql": region.query[0].postgresql,
            "grpc": region.query[0].address,
        }
        for region in config.regions
        if not region.witness
    }


async def collect(
    config: ClusterConfig,
    state: ClusterState | None = None,
    *,
    timeout_s: float = 1.0,
    only: Container[str] | None = None,
) -> ClusterStatus:
    """Ask everyone, or only those named. `state` adds what only the supervisor knows (pids of the dead, restarts)."""
    network = GrpcNetwork(tls=read_tls(config.tls))
    processes = [
        ProcessStatus(
            region=region.name,
            role="witness" if region.witness else role,
            name=process.name,
            address=process.address,
            postgresql=process.postgresql or None,
            metrics=process.metrics or None,
        )
        for region, role, process in processes_of(config)
        if only is None or process.name in only
    ]
    if state is not None:
        for one in processes:
            _add_supervised(one, state)
    await asyncio.gather(*(_ask(network, one, timeout_s) for one in processes))
    leaders = [one for one in processes if one.state == "leader"]
    # While leadership moves two may think so: the higher epoch is right.
    leader = max(leaders, key=lambda one: one.epoch or 0).name if leaders else None
    return ClusterStatus(config.cluster, leader, endpoints_of(config), processes)


def _add_supervised(one: ProcessStatus, state: ClusterState) -> None:
    supervised = state.processes.get(one.name)
    if supervised is not None:
        one.pid = supervised.identity.pid or None
        one.restarts = supervised.restarts
        one.note = supervised.note if supervised.state != "running" else ""


async def _ask(network: GrpcNetwork, one: ProcessStatus, timeout_s: float) -> None:
    method, request = _METHODS[one.role]
    try:
        async with asyncio.timeout(timeout_s * 2):
            reply = await network.call(one.address, method, request(), timeout=timeout_s)
    except (Unavailable, TimeoutError) as error:
        one.note = one.note or str(error)
        return
    identity = reply.identity
    if identity.name and identity.name != one.name:
        one.note = f"{identity.name} of cluster {identity.cluster!r} answers there"
        return
    one.state = "up"
    one.note = ""
    one.pid = identity.pid or one.pid
    one.uptime_s = identity.uptime_us / 1e6
    match reply:
        case journal_pb2.JournalStatus():
            _fill_journal(one, reply)
        case storage_pb2.StorageStatus():
            _fill_storage(one, reply)
        case adjudicator_pb2.AdjudicatorStatus():
            _fill_adjudicator(one, reply)
        case sql_pb2.QueryStatus():
            _fill_query(one, reply)


def _fill_journal(one: ProcessStatus, reply: journal_pb2.JournalStatus) -> None:
    one.epoch = reply.promised_epoch
    one.leader = reply.leader or None
    one.lease_ms = max(0, reply.lease_left_us // 1000)
    one.last_csn = reply.last_csn
    one.synced_csn = reply.synced_csn
    one.settled_csn = reply.settled_csn
    one.bytes_used = reply.bytes_used
    _fill_membership(one, reply)


def _fill_membership(one: ProcessStatus, reply: journal_pb2.JournalStatus) -> None:
    named = reply.members.next or reply.members.members
    if named and all(member.incarnation != reply.incarnation for member in named):
        one.note = f"no member, it counts for nothing: trilithon rebuild {one.region}"


def _fill_storage(one: ProcessStatus, reply: storage_pb2.StorageStatus) -> None:
    one.last_csn = reply.position_csn
    one.settled_csn = reply.settled_csn
    one.applied_csn = reply.applied_csn
    one.slots = (reply.slot_first, reply.slot_last)
    one.note = reply.problem
    one.bytes_used = reply.bytes_used


def _fill_adjudicator(one: ProcessStatus, reply: adjudicator_pb2.AdjudicatorStatus) -> None:
    one.state = reply.state or "up"
    one.epoch = reply.epoch
    one.leader = reply.leader or None
    one.last_csn = reply.last_csn
    one.settled_csn = reply.settled_csn
    one.pending = reply.pending
    if one.state == "leader":
        one.lease_ms = max(0, reply.authority_left_us // 1000)
    beyond = [status.member for status in reply.member_status if status.beyond_log]
    if beyond:
        one.note = "; ".join(
            f"{member.journal} lacks what no log has any more: trilithon rebuild {member.region}"
            for member in beyond
        )


def _fill_query(one: ProcessStatus, reply: sql_pb2.QueryStatus) -> None:
    one.postgresql = reply.postgresql_address or one.postgresql
    one.sessions = reply.sessions
    one.transactions = reply.transactions
    one.commits = reply.commits
    one.conflicts = reply.conflicts
