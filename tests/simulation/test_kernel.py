"""The simulated world itself: same seed, same events; pauses, kills and cuts do what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from kernel import Kernel, Process, SimulationStuck
from network import ProcessNetwork, SimNetwork

from trilithon.core.errors import Unavailable
from trilithon.link.specs import JOURNAL
from trilithon.v1 import journal_pb2


class Answering:
    """Answers every item with the number of items it has seen in this life."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._count = 0

    def connected(self, peer: Any) -> None:
        self._kernel.note("connected")

    def disconnected(self, peer: Any) -> None:
        self._kernel.note("disconnected")

    def received(self, peer: Any, items: Sequence[Any]) -> None:
        for item in items:
            self._count += 1
            reply = journal_pb2.Snapshot(csn=self._count)
            peer.send(journal_pb2.JournalReply(correlation_id=item.correlation_id, snapshot=reply))


class Pair:
    """A server in Region a and a client in Region b that asks every 0.1 s of its own time."""

    def __init__(self, seed: int) -> None:
        self.kernel = Kernel(seed)
        self.network = SimNetwork(self.kernel)
        self.server = self.kernel.process("server")
        self.client = self.kernel.process("client", rate=1.01)
        self._server_network = self.network.for_process(self.server, "a")
        self._client_network = self.network.for_process(self.client, "b")
        self.answers: list[int] = []
        self.start(self.server)
        self.start(self.client)

    def start(self, process: Process) -> None:
        process.start(self._serve if process is self.server else self._ask)

    async def _serve(self) -> None:
        await self._server_network.serve("server:1", {JOURNAL: Answering(self.kernel)}, {})

    async def _ask(self) -> None:
        network: ProcessNetwork = self._client_network
        link = network.link(JOURNAL, "server:1", went_down=lambda: self.kernel.note("down"))
        while True:
            request = journal_pb2.JournalRequest(snapshot=journal_pb2.SnapshotRequest())
            try:
                reply = await link.request(request, timeout=1.0)
                self.answers.append(reply.snapshot.csn)
                self.kernel.note(f"answer {reply.snapshot.csn}")
            except Unavailable as error:
                self.kernel.note(f"no answer: {error}")
            await asyncio.sleep(0.1)


def _eventful(seed: int) -> list[str]:
    pair = Pair(seed)
    kernel = pair.kernel
    kernel.run(1)
    pair.server.kill()
    kernel.run(1)
    pair.start(pair.server)
    kernel.run(1)
    pair.client.pause()
    kernel.run(2)
    pair.client.resume()
    pair.network.cut("b", "a")
    kernel.run(6)
    pair.network.heal()
    kernel.run(2)
    kernel.finish()
    return kernel.events


def test_the_same_seed_gives_the_same_events() -> None:
    assert _eventful(5) == _eventful(5)
    assert _eventful(5) != _eventful(6)


def test_a_killed_process_loses_its_memory_and_a_cut_is_noticed() -> None:
    events = "\n".join(_eventful(1))
    assert events.count("answer 2\n") == 2, "a second life counts from the start"
    assert "no answer" in events


def test_a_paused_process_does_nothing_and_goes_on_after() -> None:
    pair = Pair(2)
    pair.kernel.run(1)
    before = len(pair.answers)
    pair.client.pause()
    pair.kernel.run(5)
    assert len(pair.answers) == before
    pair.client.resume()
    pair.kernel.run_until(lambda: len(pair.answers) > before, 5, "answers again")
    pair.kernel.finish()


def test_waiting_in_vain_says_for_what() -> None:
    pair = Pair(3)
    with pytest.raises(SimulationStuck, match="the moon"):
        pair.kernel.run_until(lambda: False, 1, "the moon")
    pair.kernel.finish()
