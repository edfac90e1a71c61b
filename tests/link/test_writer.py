"""The coalescing writer: framing, splitting, bounds, one message per returned write."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.core.errors import Overloaded
from trilithon.link.writer import FRAME_BYTES_MAX, CoalescingWriter
from trilithon.v1 import storage_pb2


def item(correlation_id: int, size: int = 0) -> storage_pb2.StorageRequest:
    read = storage_pb2.PointRead(program=b"p" * size)
    return storage_pb2.StorageRequest(correlation_id=correlation_id, point_read=read)


class Sink:
    """A `write` that returns when told to."""

    def __init__(self, *, open_gate: bool = True) -> None:
        self.messages: list[bytes] = []
        self.gate = asyncio.Event()
        self.arrived = asyncio.Event()
        if open_gate:
            self.gate.set()

    async def write(self, data: bytes) -> None:
        self.messages.append(data)
        self.arrived.set()
        await self.gate.wait()

    def items(self) -> list[storage_pb2.StorageRequest]:
        return [
            item
            for data in self.messages
            for item in storage_pb2.StorageRequests.FromString(data).items
        ]


async def drain(writer: CoalescingWriter) -> None:
    while writer.pending_items:
        await asyncio.sleep(0)
    await asyncio.sleep(0)


@given(
    sizes=st.lists(
        st.one_of(
            st.integers(0, 300), st.integers(4080, 4110), st.sampled_from([16383, 16384, 70_000])
        ),
        max_size=40,
    ),
    soft_bytes=st.integers(1, 50_000),
)
def test_items_arrive_whole_and_in_order_whatever_the_split(
    sizes: list[int], soft_bytes: int
) -> None:
    async def scenario() -> None:
        sink = Sink()
        writer = CoalescingWriter(
            sink.write, items_max=1000, bytes_max=100_000_000, soft_bytes=soft_bytes
        )
        sent = [item(number + 1, size) for number, size in enumerate(sizes)]
        for one in sent:
            writer.put(one.SerializeToString())
        task = asyncio.create_task(writer.run())
        await drain(writer)
        task.cancel()
        assert sink.items() == sent
        assert writer.pending_bytes == 0
        for data in sink.messages:
            alone = len(storage_pb2.StorageRequests.FromString(data).items) == 1
            assert alone or len(data) <= soft_bytes

    asyncio.run(scenario())


async def test_everything_pending_is_one_message_after_the_last_write_returned() -> None:
    sink = Sink(open_gate=False)
    writer = CoalescingWriter(sink.write, items_max=1000, bytes_max=1 << 20)
    task = asyncio.create_task(writer.run())
    writer.put(item(1).SerializeToString())
    await sink.arrived.wait()
    for number in range(2, 102):
        writer.put(item(number).SerializeToString())
        await asyncio.sleep(0)
    assert len(sink.messages) == 1
    sink.gate.set()
    await drain(writer)
    task.cancel()
    assert len(sink.messages) == 2
    assert [one.correlation_id for one in sink.items()] == list(range(1, 102))


async def test_what_one_iteration_queues_is_one_message() -> None:
    sink = Sink()
    writer = CoalescingWriter(sink.write, items_max=1000, bytes_max=1 << 20)
    task = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    for number in range(1, 11):
        writer.put(item(number).SerializeToString())
    await drain(writer)
    task.cancel()
    assert len(sink.messages) == 1


async def test_bound_on_items() -> None:
    writer = CoalescingWriter(Sink().write, items_max=2, bytes_max=1 << 20)
    writer.put(b"1")
    writer.put(b"2")
    with pytest.raises(Overloaded, match="2 items"):
        writer.put(b"3")
    assert writer.pending_items == 2


async def test_bound_on_bytes_but_a_lone_item_always_fits() -> None:
    writer = CoalescingWriter(Sink().write, items_max=10, bytes_max=100)
    writer.put(b"x" * 5000)
    with pytest.raises(Overloaded):
        writer.put(b"y")
    assert writer.pending_items == 1
    assert 5000 < writer.pending_bytes <= 5000 + FRAME_BYTES_MAX


async def test_a_failed_write_ends_the_run() -> None:
    async def write(_: bytes) -> None:
        raise ConnectionError("gone")

    writer = CoalescingWriter(write, items_max=10, bytes_max=100)
    writer.put(b"1")
    with pytest.raises(ConnectionError):
        await writer.run()


async def test_a_cancelled_run_leaves_the_queue_usable() -> None:
    sink = Sink()
    writer = CoalescingWriter(sink.write, items_max=10, bytes_max=100)
    task = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    writer.put(b"")
    task = asyncio.create_task(writer.run())
    await drain(writer)
    task.cancel()
    assert sink.messages == [b"\x0a\x00"]


async def test_a_ping_is_a_message_of_its_own() -> None:
    sink = Sink(open_gate=False)
    writer = CoalescingWriter(sink.write, items_max=1000, bytes_max=1 << 20)
    task = asyncio.create_task(writer.run())
    writer.put(b"1")
    await sink.arrived.wait()
    writer.put(b"2")
    writer.ping()
    writer.ping()
    sink.gate.set()
    await drain(writer)
    assert sink.messages == [b"\x0a\x011", b"", b"\x0a\x012"]
    writer.ping()
    while len(sink.messages) < 4:
        await asyncio.sleep(0)
    task.cancel()
    assert sink.messages[3] == b""
