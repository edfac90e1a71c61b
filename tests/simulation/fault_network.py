"""Cuts, resets, flapping, distance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster import Cluster

Pair = tuple[str, str]


def cut(cluster: Cluster, pairs: Iterable[Pair]) -> Callable[[], None]:
    pairs = list(pairs)
    for source, target in pairs:
        cluster.network.cut(source, target)

    def undo() -> None:
        for source, target in pairs:
            cluster.network.mend(source, target)

    return undo


def isolate_region(cluster: Cluster) -> Callable[[], None] | None:
    if len(cluster.regions) < 2:
        return None
    lonely = cluster.random.choice(cluster.regions)
    cluster.kernel.note(f"fault: isolate Region {lonely}")
    others = [region for region in cluster.regions if region != lonely]
    return cut(cluster, [pair for one in others for pair in ((one, lonely), (lonely, one))])


def cut_link(cluster: Cluster) -> Callable[[], None] | None:
    """Between two Regions, both ways or one way."""
    if len(cluster.regions) < 2:
        return None
    one, other = cluster.random.sample(cluster.regions, 2)
    both = cluster.random.random() < 0.5
    cluster.kernel.note(f"fault: cut {one} -> {other}{' and back' if both else ''}")
    return cut(cluster, [(one, other), (other, one)] if both else [(one, other)])


def cut_process(cluster: Cluster) -> Callable[[], None]:
    """One process from another one, one way or both, wherever they are."""
    one, other = cluster.random.sample(sorted(cluster.nodes), 2)
    both = cluster.random.random() < 0.5
    cluster.kernel.note(f"fault: cut {one} -> {other}{' and back' if both else ''}")
    return cut(cluster, [(one, other), (other, one)] if both else [(one, other)])


def flap(cluster: Cluster) -> Callable[[], None] | None:
    if len(cluster.regions) < 2:
        return None
    one, other = cluster.random.sample(cluster.regions, 2)
    cluster.kernel.note(f"fault: {one} - {other} flaps")
    over: list[bool] = []
    undo: list[Callable[[], None]] = []

    def turn() -> None:
        if undo:
            undo.pop()()
        elif not over:
            undo.append(cut(cluster, [(one, other), (other, one)]))
        if not over:
            cluster.kernel.at(cluster.random.uniform(0.02, 0.4), turn)

    def stop() -> None:
        over.append(True)
        if undo:
            undo.pop()()

    turn()
    return stop


def reset(cluster: Cluster) -> Callable[[], None]:
    """All connections of some process."""
    node = cluster.random.choice(list(cluster.nodes.values()))
    cluster.kernel.note(f"fault: connections of {node.name} are reset")
    cluster.network.reset_streams(node.process)
    return lambda: None


def longer_way(
    cluster: Cluster, one: str, other: str, delays_s: Sequence[float]
) -> Callable[[], None] | None:
    """What `one` (a process or a Region) sends to `other` takes longer by one of `delays_s`; None if it does already."""
    extra = cluster.network.extra_delay_s
    if (one, other) in extra:
        return None
    delay_s = cluster.random.choice(delays_s)
    cluster.kernel.note(f"fault: {one} -> {other} takes {delay_s} s longer")
    extra[(one, other)] = delay_s

    def undo() -> None:
        del extra[(one, other)]

    return undo


def slow_link(cluster: Cluster) -> Callable[[], None] | None:
    """One direction between two Regions (or within one) takes much longer."""
    one, other = cluster.random.choice(cluster.regions), cluster.random.choice(cluster.regions)
    return longer_way(cluster, one, other, [0.05, 0.2, 0.6])


FAULTS = {
    "isolate region": isolate_region,
    "cut link": cut_link,
    "cut process": cut_process,
    "flap": flap,
    "reset": reset,
    "slow link": slow_link,
}
