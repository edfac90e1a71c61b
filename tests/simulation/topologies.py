"""Which Regions and processes a simulated cluster has."""

from __future__ import annotations

from dataclasses import dataclass

from trilithon.chassis.config import SLOT_COUNT, ClusterConfig, Limits, ProcessConfig, RegionConfig


@dataclass(frozen=True, slots=True)
class Shape:
    """How many processes of each role a Region has. No storage: a witness."""

    journals: int = 1
    adjudicators: int = 1
    storages: int = 1
    queries: int = 1


WITNESS = Shape(1, 0, 0, 0)

TOPOLOGIES: dict[str, dict[str, Shape]] = {
    "two": {"a": Shape(), "b": Shape(), "w": WITNESS},
    "three": {"a": Shape(), "b": Shape(), "c": Shape()},
    "one": {"a": Shape(journals=3, adjudicators=2)},
    "five": {
        "a": Shape(journals=2, adjudicators=2),
        "b": Shape(journals=2),
        "w": WITNESS,
    },
    "many": {
        "a": Shape(adjudicators=2, storages=2, queries=2),
        "b": Shape(adjudicators=2, storages=3, queries=1),
        "w": WITNESS,
    },
}


def make_config(topology: str, folder: str, *, lease_ttl_ms: int = 1_000) -> ClusterConfig:
    return ClusterConfig(
        cluster="simulated",
        regions=tuple(_region(name, shape, folder) for name, shape in TOPOLOGIES[topology].items()),
        lease_ttl_ms=lease_ttl_ms,
        availability_timeout_ms=3_000,
        limits=Limits(),
    )


def _region(name: str, shape: Shape, folder: str) -> RegionConfig:
    def processes(role: str, count: int) -> tuple[ProcessConfig, ...]:
        return tuple(
            ProcessConfig(name=f"{name}/{role}-{number}", address=f"{name}-{role}-{number}:1")
            for number in range(count)
        )

    bounds = [SLOT_COUNT * part // max(shape.storages, 1) for part in range(shape.storages + 1)]
    return RegionConfig(
        name=name,
        witness=not shape.storages,
        query=processes("query", shape.queries),
        adjudicator=processes("adjudicator", shape.adjudicators),
        journal=processes("journal", shape.journals),
        storage=tuple(
            ProcessConfig(
                name=f"{name}/storage-{part}",
                address=f"{name}-storage-{part}:1",
                data=f"{folder}/{name}-storage-{part}",
                slot_first=bounds[part],
                slot_last=bounds[part + 1] - 1,
            )
            for part in range(shape.storages)
        ),
    )
