"""Drills that harm the links between Regions, through the proxy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trilithon.cli.drill.stage import Drill, Fault

_NEAR_MS: Final = 2.0


def _isolate(region: str, down: Sequence[str] = ()) -> Fault:
    return lambda stage: stage.cut(
        f"isolate {region}", lambda: stage.cluster.proxy.isolate(region), down
    )


def _cut_between(one: str, other: str) -> Fault:
    return lambda stage: stage.cut(
        f"cut {one} from {other}", lambda: stage.cluster.proxy.cut_between(one, other)
    )


DRILLS: Final = (
    Drill("isolate-a", "Region a is cut off from both others", _isolate("a", "a"), rtt_ms=_NEAR_MS),
    Drill("isolate-b", "Region b is cut off from both others", _isolate("b", "b"), rtt_ms=_NEAR_MS),
    Drill("isolate-w", "the witness is cut off", _isolate("w"), rtt_ms=_NEAR_MS),
    Drill(
        "cut-a-b",
        "the link between the full Regions is cut",
        _cut_between("a", "b"),
        rtt_ms=_NEAR_MS,
    ),
    Drill("cut-a-w", "the link between a and w is cut", _cut_between("a", "w"), rtt_ms=_NEAR_MS),
)
