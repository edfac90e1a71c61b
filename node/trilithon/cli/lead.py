"""`trilithon lead REGION`: leadership moves to an adjudicator of that Region, by order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trilithon.chassis.config import ClusterConfig
from trilithon.chassis.main import read_tls
from trilithon.cli.status import collect
from trilithon.core.errors import Unavailable
from trilithon.link import GrpcNetwork, specs
from trilithon.v1 import adjudicator_pb2

# Longer than an adjudicator goes on trying.
_TIMEOUT_S: Final = 10.0


class CannotLead(Exception):
    """The order was not carried out; the text says why."""


@dataclass(frozen=True, slots=True)
class Led:
    leader: str
    epoch: int
    # Who led before; None: nobody was seen to lead. The same as `leader`: nothing had to be moved.
    before: str | None


async def lead(config: ClusterConfig, region: str) -> Led:
    """Raises CannotLead."""
    names = _candidates(config, region)
    found = await collect(config)
    addresses = {one.name: one.address for one in found.processes if one.name in names and one.up}
    if not addresses:
        raise CannotLead(f"no adjudicator of Region {region} answers: {', '.join(names)}")
    if found.leader in addresses:
        addresses = {found.leader: addresses[found.leader]}
    network = GrpcNetwork(tls=read_tls(config.tls))
    reasons = []
    for name, address in addresses.items():
        try:
            reply: adjudicator_pb2.LeadReply = await network.call(
                address,
                specs.ADJUDICATOR_LEAD,
                adjudicator_pb2.LeadRequest(),
                timeout=_TIMEOUT_S,
            )
        except Unavailable as error:
            reasons.append(f"{name}: {error}")
        else:
            return Led(name, reply.epoch, found.leader)
    raise CannotLead(f"leadership did not move to Region {region}: {'; '.join(reasons)}")


def _candidates(config: ClusterConfig, region: str) -> list[str]:
    for one in config.regions:
        if one.name == region:
            if not one.adjudicator:
                raise CannotLead(f"Region {region} is a witness: it votes and cannot lead")
            return [process.name for process in one.adjudicator]
    full = ", ".join(one.name for one in config.regions if one.adjudicator)
    raise CannotLead(f"there is no Region {region!r} in this cluster; {full} can lead")
