"""Is a list-append history strongly snapshot isolated?

Every transaction has two points: b, where its snapshot was taken, and c, where its appends took effect. The
history is what it must be if and only if these points can be put in one order with

- invocation < b < c < acknowledgement (real time, on one clock, in every Region);
- c(W) < b(R) for every W whose append R read, and b(R) < c(W) for the first W that R did not see;
- c(W) < b(V) for two writers of one list, W before V: of two that overlap only the first may commit.

Reading a list gives the order of its appends, so these edges are known, and an order exists when they form no
cycle (Adya's start-ordered serialization graph; lists that show their own order are the idea of Elle).
Looked for before that: reads of what was refused or never written, of half a transaction, lists that are no
prefixes of each other, appends there twice, acknowledged appends missing from the last read of all.

Pure. Verdicts are sentences.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from trilithon.cli.drill.history import Operation

_NAMED_MAX: Final = 10


@dataclass(slots=True)
class Verdict:
    """`violations` is empty when the history is as it must be."""

    transactions: int = 0
    reads: int = 0
    appends: int = 0
    violations: list[str] = field(default_factory=list)


def judge(operations: Sequence[Operation], last: dict[int, list[int]]) -> Verdict:
    """`last`: every list as it was read when all clients had stopped."""
    return _Judge(operations, last).verdict()


def _say(one: Operation) -> str:
    end = f"{one.completed_s:.3f}" if one.outcome == "ok" else "?"
    return f"{one.client} ({one.invoked_s:.3f} to {end} s)"


class _Judge:
    def __init__(self, operations: Sequence[Operation], last: dict[int, list[int]]) -> None:
        self._last = last
        self._all = list(operations)
        self._found = Verdict()
        # value -> the index of its writer, whatever became of it
        self._writer: dict[tuple[int, int], int] = {}
        self._edges: dict[int, dict[int, str]] = defaultdict(dict)

    def verdict(self) -> Verdict:
        self._find_writers()
        reads = self._external_reads()
        self._check_reads(reads)
        self._check_last()
        self._found.transactions = sum(one.outcome == "ok" for one in self._all)
        self._found.reads = len(reads)
        if not self._found.violations:
            self._relate(reads)
            self._order_in_time()
            self._find_cycle()
        return self._found

    def _violation(self, text: str) -> None:
        if len(self._found.violations) < _NAMED_MAX:
            self._found.violations.append(text)

    def _find_writers(self) -> None:
        for index, one in enumerate(self._all):
            for kind, key, value in one.micros:
                if kind == "append":
                    self._writer[(key, value)] = index
                    self._found.appends += one.outcome == "ok"

    def _external_reads(self) -> list[tuple[int, int, list[int]]]:
        """(reader, list, what of it others had written), of transactions that are known to have been."""
        found = []
        for index, one in enumerate(self._all):
            own: dict[int, list[int]] = defaultdict(list)
            for kind, key, value in one.micros if one.outcome == "ok" else ():
                if kind == "append":
                    own[key].append(value)
                    continue
                seen: list[Any] = list(value)
                mine = own[key]
                if mine and seen[-len(mine) :] != mine:
                    self._violation(f"{_say(one)} did not see its own appends to list {key}")
                    continue
                found.append((index, key, seen[: len(seen) - len(mine)]))
        return found

    def _check_reads(self, reads: list[tuple[int, int, list[int]]]) -> None:
        ends: dict[tuple[int, int], int] = {}
        for one in self._all:
            finals = {key: value for kind, key, value in one.micros if kind == "append"}
            for kind, key, value in one.micros:
                if kind == "append":
                    ends[(key, value)] = finals[key]
        for index, key, seen in reads:
            who = _say(self._all[index])
            order = self._last.get(key, [])
            if seen != order[: len(seen)]:
                self._violation(f"{who} read list {key} as {seen[-5:]}, no prefix of {order[:20]}")
            for value in seen:
                writer = self._writer.get((key, value))
                if writer is None:
                    self._violation(f"{who} read {value} in list {key}, which nobody appended")
                elif self._all[writer].outcome == "fail":
                    by = _say(self._all[writer])
                    self._violation(f"{who} read {value} in list {key}, refused to {by}")
            if seen and ends.get((key, seen[-1]), seen[-1]) != seen[-1]:
                self._violation(f"{who} read half a transaction: list {key} up to {seen[-1]}")

    def _check_last(self) -> None:
        for key, values in self._last.items():
            if len(set(values)) != len(values):
                self._violation(f"list {key} holds an append twice: {values}")
        present = {(key, value) for key, values in self._last.items() for value in values}
        for (key, value), index in self._writer.items():
            there = (key, value) in present
            one = self._all[index]
            if one.outcome == "ok" and not there:
                self._violation(f"list {key} has lost {value}, acknowledged to {_say(one)}")
            if one.outcome == "fail" and there:
                self._violation(f"list {key} holds {value}, refused to {_say(one)}")
        for key, value in sorted(present - set(self._writer)):
            self._violation(f"list {key} holds {value}, which nobody appended")

    # ---- the graph: 2i is b of transaction i, 2i + 1 is c, then one node per acknowledgement

    def _edge(self, before: int, after: int, why: str) -> None:
        if before != after:
            self._edges[before].setdefault(after, why)

    def _relate(self, reads: list[tuple[int, int, list[int]]]) -> None:
        for index in range(len(self._all)):
            self._edge(2 * index, 2 * index + 1, "began before it committed")
        for key, values in self._last.items():
            writers = [self._writer[(key, value)] for value in values]
            for one, other in pairwise(writers):
                if one != other:
                    self._edge(2 * one + 1, 2 * other, f"appended to list {key} before")
        for index, key, seen in reads:
            order = self._last.get(key, [])
            if seen:
                writer = self._writer[(key, seen[-1])]
                self._edge(2 * writer + 1, 2 * index, f"appended {seen[-1]} to list {key}, read by")
            for value in order[len(seen) : len(seen) + 1]:
                writer = self._writer[(key, value)]
                if writer != index:
                    text = f"read list {key} without {value}, appended by"
                    self._edge(2 * index, 2 * writer + 1, text)

    def _order_in_time(self) -> None:
        """A chain of acknowledgements; who was invoked after one comes after all before it."""
        base = 2 * len(self._all)
        known = [index for index, one in enumerate(self._all) if one.outcome == "ok"]
        ended = sorted(known, key=lambda index: self._all[index].completed_s)
        for place, index in enumerate(ended):
            self._edge(2 * index + 1, base + place, "was acknowledged")
            if place:
                self._edge(base + place - 1, base + place, "")
        place = -1
        for index in sorted(range(len(self._all)), key=lambda index: self._all[index].invoked_s):
            one = self._all[index]
            while (
                place + 1 < len(ended) and self._all[ended[place + 1]].completed_s < one.invoked_s
            ):
                place += 1
            if place >= 0 and one.outcome != "fail":
                self._edge(base + place, 2 * index, "before the begin of")

    def _find_cycle(self) -> None:
        """What is left when everything without a predecessor is taken away, again and again."""
        incoming: dict[int, int] = defaultdict(int)
        for followers in self._edges.values():
            for node in followers:
                incoming[node] += 1
        nodes = set(self._edges) | set(incoming)
        free = deque(node for node in nodes if not incoming[node])
        left = set(nodes)
        while free:
            node = free.popleft()
            left.discard(node)
            for after in self._edges.get(node, {}):
                incoming[after] -= 1
                if not incoming[after]:
                    free.append(after)
        if left:
            self._violation(self._explain(left))

    def _explain(self, left: set[int]) -> str:
        shortest: list[int] = []
        for start in sorted(left)[:200]:
            cycle = self._cycle_through(start, left)
            if cycle and (not shortest or len(cycle) < len(shortest)):
                shortest = cycle
        sentences = []
        for before, after in zip(shortest, shortest[1:] + shortest[:1], strict=True):
            why = self._edges[before][after]
            if why and why != "began before it committed":
                sentences.append(f"{self._name(before)} {why} {self._name(after)}")
        return "no order fits: " + "; ".join(sentences)

    def _name(self, node: int) -> str:
        index = node // 2
        return _say(self._all[index]) if index < len(self._all) else ""

    def _cycle_through(self, start: int, left: set[int]) -> list[int]:
        """The shortest, by breadth; empty when `start` only hangs behind a cycle."""
        came: dict[int, int] = {}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for after in self._edges.get(node, {}):
                if after == start:
                    path = [node]
                    while path[-1] != start:
                        path.append(came[path[-1]])
                    return path[::-1]
                if after in left and after not in came:
                    came[after] = node
                    queue.append(after)
        return []
