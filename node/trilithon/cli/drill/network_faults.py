"""Drills that harm the links between Regions, through the proxy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from trilithon.cli.drill.stage import Drill, Fault, Stage

_NEAR_MS: Final = 2.0
_FLAP_S: Final = 0.7
_GARBAGE_EVERY_S: Final = 0.3


def _isolate(region: str, down: Sequence[str] = ()) -> Fault:
    return lambda stage: stage.cut(
        f"isolate {region}", lambda: stage.cluster.proxy.isolate(region), down
    )


def _cut_from_witness(region: str) -> Fault:
    return lambda stage: stage.cut(
        f"cut {region} from w", lambda: stage.cluster.proxy.cut_between(region, "w")
    )


def _cut_full_regions(stage: Stage) -> None:
    """The leader keeps its majority with the witness; the other Region has to stop serving."""
    stage.cut(
        "cut a from b",
        lambda: stage.cluster.proxy.cut_between("a", "b"),
        stage.other_region(),
    )


def _cut_one_way(*, from_leader: bool) -> Fault:
    def fault(stage: Stage) -> None:
        leads, other = stage.leaders_region(), stage.other_region()
        sender, receiver = (leads, other) if from_leader else (other, leads)
        stage.cut(
            f"cut {sender} to {receiver}",
            lambda: stage.cluster.proxy.cut_one_way(sender, receiver),
            other,
        )

    return fault


def _all_the_time(text: str, every_s: float, *blows: Callable[[Stage], None]) -> Fault:
    """One blow after the other, until the fault has lasted long enough."""

    def fault(stage: Stage) -> None:
        stage.harm(text)
        until = stage.now_s() + stage.harm_s
        while stage.now_s() < until:
            for blow in blows:
                blow(stage)
                stage.let_pass(every_s)
        stage.heal("heal")
        stage.cluster.proxy.heal()
        stage.recovered()

    return fault


_GARBAGE: Final = _all_the_time(
    "garbage between a and b",
    _GARBAGE_EVERY_S,
    lambda stage: stage.cluster.proxy.between("garbage", "a", "b", bytes=64),
)
_RESETS: Final = _all_the_time(
    "reset between a and b",
    _GARBAGE_EVERY_S,
    lambda stage: stage.cluster.proxy.between("reset", "a", "b"),
)
_FLAPPING: Final = _all_the_time(
    "cut and heal a from b",
    _FLAP_S,
    lambda stage: stage.cluster.proxy.cut_between("a", "b"),
    lambda stage: stage.cluster.proxy.heal(),
)


def _lose_packets(stage: Stage) -> None:
    stage.cut("lose a tenth", lambda: _lose_a_tenth(stage))


def _slow_link(stage: Stage) -> None:
    """Slower than heartbeats come, far quicker than a lease."""
    stage.cut(
        "100 ms each way between a and b",
        lambda: stage.cluster.proxy.between("set", "a", "b", delay_ms=100),
    )


def _lose_a_tenth(stage: Stage) -> None:
    stage.cluster.proxy.send("set", loss=0.1, jitter_ms=5)


def _near(name: str, about: str, fault: Fault) -> Drill:
    return Drill(name, about, fault, rtt_ms=_NEAR_MS)


DRILLS: Final = (
    _near("isolate-a", "Region a is cut off from both others", _isolate("a", "a")),
    _near("isolate-b", "Region b is cut off from both others", _isolate("b", "b")),
    _near("isolate-w", "the witness is cut off", _isolate("w")),
    _near("cut-a-b", "the link between the full Regions is cut", _cut_full_regions),
    _near("cut-a-w", "the link between a and w is cut", _cut_from_witness("a")),
    _near("cut-b-w", "the link between b and w is cut", _cut_from_witness("b")),
    _near(
        "one-way-out",
        "what the leader's Region sends to the other does not arrive",
        _cut_one_way(from_leader=True),
    ),
    _near(
        "one-way-in",
        "what the other Region sends to the leader's does not arrive",
        _cut_one_way(from_leader=False),
    ),
    _near("flapping", "the link between a and b is cut and healed, over and over", _FLAPPING),
    _near("garbage", "random bytes between those of a and b, over and over", _GARBAGE),
    _near("resets", "the connections between a and b are broken, over and over", _RESETS),
    _near("loss", "every link loses a tenth of what it carries", _lose_packets),
    _near("slow-link", "the link between a and b gets a round trip of 200 ms", _slow_link),
)
