"""An adjudicator process: machine, service and server put together. Started by the chassis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from trilithon.adjudicator.machine import AdjudicatorMachine
from trilithon.adjudicator.service import AdjudicatorService
from trilithon.adjudicator.settings import AdjudicatorTarget, JournalTarget, Settings
from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.chassis.identity import ProcessLife
from trilithon.core.world import Server, World
from trilithon.link.specs import (
    ADJUDICATOR,
    ADJUDICATOR_LEAD,
    ADJUDICATOR_REPLACE_JOURNAL,
    ADJUDICATOR_STATUS,
)
from trilithon.v1 import adjudicator_pb2 as adjudicator

_log = logging.getLogger("trilithon.adjudicator")

_GRACE_S: Final = 1.0
# Beyond the transaction age limit: requests travel, and are resent.
_WINDOW_SLACK_S: Final = 60


def settings_of(config: ClusterConfig, process: ProcessConfig, region: RegionConfig) -> Settings:
    return Settings(
        name=process.name,
        region=region.name,
        address=process.address,
        journals=tuple(
            JournalTarget(one.name, other.name, not other.witness)
            for other in config.regions
            for one in other.journal
        ),
        adjudicators=tuple(
            AdjudicatorTarget(one.name, other.name, one.address)
            for other in config.regions
            for one in other.adjudicator
        ),
        lease_ttl_us=config.lease_ttl_ms * 1_000,
        availability_timeout_us=config.availability_timeout_ms * 1_000,
        pending_timeout_us=2 * config.availability_timeout_ms * 1_000,
        window_age_us=(config.limits.transaction_age_s + _WINDOW_SLACK_S) * 1_000_000,
        write_set_bytes_max=config.limits.message_bytes * 15 // 16,
    )


class AdjudicatorProcess:
    """The running role. `failed` completes with an exception when the process has to stop."""

    def __init__(self, config: ClusterConfig, settings: Settings, world: World) -> None:
        self._config = config
        self._settings = settings
        self._world = world
        self._life = ProcessLife(
            config.cluster, settings.region, "adjudicator", settings.name, world
        )
        self.machine = AdjudicatorMachine(
            settings, self._life.id, world.random, self._life.started_us
        )
        self.service = AdjudicatorService(self.machine, world)
        self._server: Server | None = None

    @property
    def failed(self) -> asyncio.Future[None]:
        return self.service.failed

    @property
    def address(self) -> str:
        assert self._server is not None, "started"
        return self._server.address

    async def start(self) -> None:
        self._server = await self._world.network.serve(
            self._settings.address,
            {ADJUDICATOR: self.service},
            {
                ADJUDICATOR_STATUS: self._status,
                ADJUDICATOR_LEAD: self.service.lead,
                ADJUDICATOR_REPLACE_JOURNAL: self.service.replace_journal,
            },
        )
        self.service.open(
            {
                process.name: process.address
                for region in self._config.regions
                for process in region.journal
            },
            {
                target.name: target.address
                for target in self._settings.adjudicators
                if target.name != self._settings.name
            },
        )
        _log.info("adjudicator %s starts", self._settings.name)

    async def stop(self) -> None:
        if self._server is not None:
            await self.service.retire()
        if self._server is not None:
            await self._server.close(_GRACE_S)
        await self.service.close()

    async def _status(
        self, _: adjudicator.AdjudicatorStatusRequest
    ) -> adjudicator.AdjudicatorStatus:
        now_us = self._world.clock.monotonic_us()
        status = self.machine.status(now_us)
        status.identity.CopyFrom(self._life.describe())
        return status

    def metrics(self) -> Mapping[str, float]:
        machine, counters = self.machine, self.service.counters
        now_us = self._world.clock.monotonic_us()
        return {
            "leads": 1.0 if machine.leads(now_us) else 0.0,
            "epoch": machine.leader_epoch,
            "pending": len(machine.pending),
            "journals_beyond_log": machine.journals_beyond_log,
            "window_entries": machine.copy.window.entry_count,
            "window_keys": machine.copy.window.key_count,
            "log_bytes": machine.copy.log.bytes,
            "last_csn": machine.copy.tail_csn,
            "settled_csn": machine.copy.settled_csn,
            "requests_total": counters.requests,
            "committed_total": counters.committed,
            "aborted_total": counters.aborted,
            "unknown_total": counters.unknown,
            "not_judged_total": counters.not_judged,
            "failures_total": counters.failures,
            "appends_total": counters.appends,
            "forwarded_total": counters.forwarded,
            "elections_won_total": counters.elections_won,
            "handed_over_total": machine.handover.given_count,
            "taken_over_total": machine.handover.taken_count,
        }


async def start(
    config: ClusterConfig, process: ProcessConfig, region: RegionConfig, world: World
) -> AdjudicatorProcess:
    """Raises OSError for a taken address."""
    running = AdjudicatorProcess(config, settings_of(config, process, region), world)
    try:
        await running.start()
    except BaseException:
        await running.stop()
        raise
    return running
