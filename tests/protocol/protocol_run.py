"""One simulated cluster per seed: real journal and adjudicator machines under faults.

    python tests/protocol/protocol_run.py [--seed N] [--seeds N] [--topology NAME] [--rule NAME]
        [--replace] [--trace]

replays a seed, or many; the same seed gives the same events. `--rule` switches one rule off (see
protocol_rules.py): the checker must notice.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from protocol_checker import Checker, check_logs, hold
from protocol_clients import Client, StoreNode
from protocol_nodes import AdjudicatorNode, JournalNode
from protocol_world import World

from trilithon.adjudicator.settings import AdjudicatorTarget, JournalTarget

SECONDS = 30.0

# Small bounds, so that windows, memory and logs really are exceeded and trimmed.
_TIGHT_JOURNAL = {"window_us": 2_000_000, "trim_step_entries": 50, "memory_bytes_max": 5_000}
_TIGHT_ADJUDICATOR = {"window_entries_max": 60, "log_bytes_max": 20_000, "warm_entries": 40}


@dataclass(frozen=True, slots=True)
class Topology:
    """Per Region: journals, adjudicators. Regions without adjudicators are witnesses."""

    regions: dict[str, tuple[int, int]]


TOPOLOGIES = {
    "two": Topology({"a": (1, 1), "b": (1, 1), "w": (1, 0)}),
    "one": Topology({"a": (3, 2)}),
    "three": Topology({"a": (1, 1), "b": (1, 1), "c": (1, 1)}),
}


class Cluster:
    def __init__(
        self, seed: int, topology: str, *, replace: bool = False, trace: bool = False
    ) -> None:
        self.replace = replace
        self.world = world = World(seed)
        world.keep_trace = trace
        self.topology = TOPOLOGIES[topology]
        regions = self.topology.regions
        journal_targets = tuple(
            JournalTarget(f"journal-{region}{number}", region, adjudicators > 0)
            for region, (journals, adjudicators) in regions.items()
            for number in range(journals)
        )
        adjudicator_targets = tuple(
            AdjudicatorTarget(f"adjudicator-{region}{number}", region, "")
            for region, (_, adjudicators) in regions.items()
            for number in range(adjudicators)
        )
        tight = world.random.random() < 0.5
        self.journals = [
            JournalNode(
                world,
                target.name,
                target.region,
                full=target.full,
                settings={
                    "storages": (f"store-{target.region}",) if target.full else (),
                    **(_TIGHT_JOURNAL if tight else {}),
                },
            )
            for target in journal_targets
        ]
        self.adjudicators = [
            AdjudicatorNode(
                world,
                target.name,
                target.region,
                journal_targets,
                adjudicator_targets,
                _TIGHT_ADJUDICATOR if tight else {},
            )
            for target in adjudicator_targets
        ]
        full = [region for region, (_, adjudicators) in regions.items() if adjudicators]
        self.stores = [
            StoreNode(world, f"store-{region}", region, f"journal-{region}0") for region in full
        ]
        self.clients = [
            Client(world, f"client-{region}{number}", region, f"journal-{region}0")
            for region in full
            for number in range(4)
        ]
        for node in (*self.journals, *self.adjudicators, *self.stores, *self.clients):
            node.start()
        # What may fail.
        self.mortal = [*self.journals, *self.adjudicators, *self.stores]

    def chaos(self) -> None:
        world = self.world
        random = world.random
        draw = random.random()
        regions = list(self.topology.regions)
        if draw < 0.30 and len(regions) > 1:
            links = [frozenset((one, other)) for one in regions for other in regions if one < other]
            lonely = random.choice(regions)
            if random.random() < 0.6:
                world.cut_links({link for link in links if lonely in link})
            else:
                world.cut_links({random.choice(links)})
        elif draw < 0.5:
            world.cut_links(set())
            world.loss = random.choice([0, 0, 0.05, 0.2])
            world.loose = random.choice([0, 0.02, 0.1])
            world.slow_disk = random.choice([0, 0, 0.05])
        elif draw < 0.9:
            names = [node.name for node in random.sample(self.mortal, random.choice([1, 1, 2]))]
            if random.random() < 0.3:
                region = random.choice(regions)
                names = [node.name for node in self.mortal if node.region == region]
                if len(regions) == 1:
                    names = names[:1]
            for name in names:
                node = world.nodes[name]
                if isinstance(node, JournalNode) and random.random() < 0.5:
                    self.stop_in_order(node)
                    continue
                world.crash(name)
                world.at(random.expovariate(1.0) + 0.01, world.restart, name)
        world.at(random.expovariate(1 / 1.2) + 0.1, self.chaos)

    def stop_in_order(self, node: JournalNode) -> None:
        """It gives its lease back, and goes on for a moment."""
        world = self.world
        if node.name not in world.down:
            node.retire()
            world.at(world.random.uniform(0, 0.6), world.crash, node.name)
            world.at(world.random.expovariate(1.0) + 0.61, world.restart, node.name)

    def order(self) -> None:
        """Somebody is ordered to lead; now and then something happens to it in the middle."""
        world = self.world
        random = world.random
        node = random.choice(self.adjudicators)
        if node.name not in world.down:
            node.order_lead()
            draw = random.random()
            if draw < 0.2:
                world.at(random.uniform(0, 0.15), world.crash, node.name)
                world.at(random.uniform(0.3, 2), world.restart, node.name)
            elif draw < 0.5 and len(self.topology.regions) > 1:
                one, other = random.sample(list(self.topology.regions), 2)
                world.at(random.uniform(0, 0.15), world.cut_links, {frozenset((one, other))})
        world.at(random.expovariate(1 / 2.0) + 0.1, self.order)

    def lose_disks(self) -> None:
        """A journal's disk is lost; the newcomer is admitted in its place before the next one is."""
        world = self.world
        victim = world.random.choice(self.journals)
        world.crash(victim.name)
        victim.lose_disk()
        world.at(0.5, world.restart, victim.name)
        world.at(1.0, self._replace, victim)

    def _replace(self, victim: JournalNode) -> None:
        """As an operator would: ask whoever leads, until it is done."""
        world = self.world
        incarnation = victim.disk.incarnation
        for node in self.adjudicators:
            if node.name not in world.down:
                hindrance = node.machine.replace_journal(
                    victim.name, node.clock_us(), node.wall_us()
                )
                members = node.machine.members()
                if (
                    hindrance is None
                    and node.machine.members_closed()
                    and members is not None
                    and incarnation in [member.incarnation for member in members.members]
                ):
                    world.count("replaced")
                    if world.now < self.seconds:
                        world.at(world.random.uniform(0.5, 3), self.lose_disks)
                    return
        world.at(0.2, self._replace, victim)

    def heal(self) -> None:
        world = self.world
        world.cut_links(set())
        world.loss = world.loose = world.slow_disk = 0.0
        world.forget(self.chaos)
        world.forget(self.order)

    def run(self, seconds: float = SECONDS) -> dict[str, int]:
        world = self.world
        self.seconds = seconds
        world.at(4, self.chaos)
        world.at(3, self.order)
        if self.replace:
            world.at(5, self.lose_disks)
        world.run(seconds)
        self.heal()
        world.run(seconds + 12)
        alive = {
            client.region
            for client in self.clients
            for one in client.history
            if one.outcome == "committed" and one.ended > seconds + 6
        }
        world.stopping = True
        world.run(seconds + 24)
        self.check()
        for store in self.stores:
            hold(store.region in alive, "nothing commits any more in Region", store.region)
        return world.stats

    def check(self) -> None:
        disks = [node.disk for node in self.journals]
        tails = [disk.entries[-1].csn if disk.entries else disk.base.csn for disk in disks]
        final = check_logs([disk.entries for disk in disks], tails, self.world.archive)
        history = [one for client in self.clients for one in client.history]
        Checker(final, history).check()
        for store in self.stores:
            hold(
                [entry.csn for entry in store.entries]
                == [entry.csn for entry in final if entry.csn <= store.settled],
                "storage differs in Region",
                store.region,
            )

    def fingerprint(self) -> str:
        text = repr([node.disk.entries for node in self.journals]) + repr(self.world.stats)
        return hashlib.sha256(text.encode()).hexdigest()


def run_seed(
    seed: int,
    topology: str = "two",
    *,
    seconds: float = SECONDS,
    replace: bool = False,
    trace: bool = False,
) -> dict[str, int]:
    cluster = Cluster(seed, topology, replace=replace, trace=trace)
    try:
        return cluster.run(seconds)
    finally:
        for line in cluster.world.trace:
            print(line)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--topology", default="two", choices=TOPOLOGIES)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rule")
    parser.add_argument("--replace", action="store_true", help="journals lose their disks")
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    if options.rule:
        from protocol_rules import RULES

        RULES[options.rule](setattr)
    seeds = [options.seed] if options.seed is not None else range(options.seeds)
    total: dict[str, int] = {}
    for seed in seeds:
        try:
            stats = run_seed(
                seed,
                options.topology,
                seconds=options.seconds,
                replace=options.replace,
                trace=options.trace,
            )
        except BaseException as error:
            print(f"seed {seed} topology {options.topology}: {type(error).__name__}: {error}")
            raise
        for what, count in stats.items():
            total[what] = total.get(what, 0) + count
    print("ok", len(seeds), "seeds", dict(sorted(total.items())))


if __name__ == "__main__":
    main()
