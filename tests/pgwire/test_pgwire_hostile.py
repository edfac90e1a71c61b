"""Clients that mean harm or know no better: each gets a clear answer, the others notice nothing."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_fakes import Cluster, make_services_for
from wire_client import (
    SYNC,
    WireClient,
    bind,
    execute,
    message,
    parse,
    query,
    startup,
)

from trilithon.core.errors import SqlError
from trilithon.query.pgwire import frontend
from trilithon.query.pgwire.frontend import BrokenFraming, Framer, StartupFramer
from trilithon.query.pgwire.listener import Listener, ListenerOptions


async def still_serves(listener: Listener) -> None:
    client = await WireClient.connect(listener)
    assert (await client.say(query("select 1")))[-1] == "ReadyForQuery I"
    await client.close()


@pytest.mark.parametrize(
    ("data", "sqlstate"),
    [
        (b"!\0\0\0\4", "08P01"),
        (b"\0\0\0\0\0\0\0\0", "08P01"),
        (b"GET / HTTP/1.1\r\n\r\n", "08P01"),
        (b"Q\0\0\0\3", "08P01"),
        (b"Q\xff\xff\xff\xff", "08P01"),
        (b"Q" + struct.pack("!i", 1024 * 1024 + 1), "08P01"),
        (b"p" + struct.pack("!i", 5) + b"x", "08P01"),
        (b"!", "08P01"),
    ],
)
async def test_broken_framing_is_fatal(listener: Listener, data: bytes, sqlstate: str) -> None:
    client = await WireClient.connect(listener)
    client.send(data)
    assert await client.rest() == [f"Error FATAL {sqlstate}"]
    await still_serves(listener)


async def test_what_came_before_broken_framing_is_answered(listener: Listener) -> None:
    client = await WireClient.connect(listener)
    client.send(query("select 1"), b"!\0\0\0\4")
    lines = await client.rest()
    assert lines[-2:] == ["ReadyForQuery I", "Error FATAL 08P01"]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!i", 4),
        struct.pack("!i", 7) + b"xxx",
        struct.pack("!i", 10_001),
        struct.pack("!i", -1),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        struct.pack("!ii", 8, 2 << 16),
        struct.pack("!ii", 9, 3 << 16) + b"x",
        struct.pack("!ii", 14, 3 << 16) + b"user\0\0",
        struct.pack("!ii", 16, 3 << 16) + b"user\0\xff\0\0",
        struct.pack("!ii", 8, frontend.CANCEL_REQUEST),
    ],
)
async def test_broken_startup(listener: Listener, data: bytes) -> None:
    client = await WireClient.open(listener)
    client.send(data)
    lines = await client.rest()
    assert len(lines) == 1
    assert lines[0].startswith("Error FATAL ")
    await still_serves(listener)


async def test_half_open_connections_are_ended(cluster: Cluster) -> None:
    options = ListenerOptions("127.0.0.1:0", startup_timeout_s=0.05)
    listener = Listener(options, make_services_for(cluster))
    await listener.start()
    client = await WireClient.open(listener)
    client.send(b"\0\0")
    assert await client.rest() == ["Error FATAL 57014"]
    await still_serves(listener)
    await listener.stop(0.1)


async def test_too_many_connections(cluster: Cluster) -> None:
    listener = Listener(
        ListenerOptions("127.0.0.1:0", connections_max=2), make_services_for(cluster)
    )
    await listener.start()
    clients = [await WireClient.connect(listener) for _ in range(2)]
    late = await WireClient.open(listener)
    late.send(startup())
    assert await late.rest() == ["Error FATAL 53300"]
    await clients[0].close()
    while listener.session_count > 1:
        await asyncio.sleep(0)
    await still_serves(listener)
    await listener.stop(0.1)


async def test_sessions_are_closed_with_their_sockets(listener: Listener, cluster: Cluster) -> None:
    client = await WireClient.connect(listener)
    await client.say(query("begin; insert into t values (1, 'x')"))
    client.writer.transport.abort()
    while listener.session_count:
        await asyncio.sleep(0)
    assert cluster.log[-1] == "rollback"
    assert listener.services.counters.transactions_open == 0


async def test_a_lost_client_does_not_undo_a_commit_under_way(
    listener: Listener, cluster: Cluster
) -> None:
    cluster.commit_gate = asyncio.Event()
    client = await WireClient.connect(listener)
    client.send(query("insert into t values (1, 'x')"))
    while not any(session.committing for session in listener.sessions()):
        await asyncio.sleep(0)
    client.writer.transport.abort()
    await asyncio.sleep(0.01)
    assert listener.session_count == 1
    cluster.commit_gate.set()
    while listener.session_count:
        await asyncio.sleep(0)
    assert cluster.rows == [(1, "x")]


async def cancel(listener: Listener, backend_id: int, secret: bytes) -> None:
    canceller = await WireClient.open(listener)
    body = struct.pack("!ii", frontend.CANCEL_REQUEST, backend_id) + secret
    canceller.send(struct.pack("!i", len(body) + 4) + body)
    assert await canceller.rest() == []


async def test_cancel_request(listener: Listener) -> None:
    client = await WireClient.connect(listener)
    client.send(query("select sleep(60)"))
    while not any(session.busy for session in listener.sessions()):
        await asyncio.sleep(0)
    backend_id, secret = client.key
    await cancel(listener, backend_id, b"\0\0\0\0")
    await cancel(listener, backend_id + 1, secret)
    await cancel(listener, backend_id, secret)
    lines = await client.until_ready()
    assert lines[-2:] == ["Error ERROR 57014", "ReadyForQuery I"]
    await cancel(listener, backend_id, secret)
    assert (await client.say(query("select 1")))[-2] == "CommandComplete SELECT 1"


async def test_cancel_while_the_client_does_not_read(listener: Listener) -> None:
    client = await WireClient.connect(listener)
    client.send(query("select spin(1)"))
    session = listener.sessions()[0]
    channel = next(iter(listener._connections))
    while not channel._writing_paused:
        await asyncio.sleep(0)
    assert channel.output_bytes < 1024 * 1024
    backend_id, secret = client.key
    await cancel(listener, backend_id, secret)
    tail = b""
    while not tail.endswith(message("Z", b"I")):
        tail = tail[-200:] + await asyncio.wait_for(client.reader.read(1 << 20), 10)
    assert b"C57014\0" in tail
    while session.busy:
        await asyncio.sleep(0)
    await still_serves(listener)


async def test_one_endless_result_does_not_hold_up_others(listener: Listener) -> None:
    greedy = await WireClient.connect(listener)
    greedy.send(query("select spin(1)"))
    for _ in range(5):
        await still_serves(listener)
    greedy.writer.transport.abort()


async def test_a_flood_of_messages_is_read_in_parts(listener: Listener) -> None:
    client = await WireClient.connect(listener)
    one = parse("select 1") + bind() + execute() + SYNC
    count = 5_000

    async def write() -> None:
        for _ in range(count // 100):
            client.send(one * 100)
            await client.writer.drain()

    writing = asyncio.ensure_future(write())
    channel = next(iter(listener._connections))
    for _ in range(count):
        assert (await client.until_ready())[-1] == "ReadyForQuery I"
        assert len(channel.messages) < 40_000
    await writing


async def test_shutdown_tells_the_clients(cluster: Cluster) -> None:
    listener = Listener(ListenerOptions("127.0.0.1:0"), make_services_for(cluster))
    await listener.start()
    idle = await WireClient.connect(listener)
    running = await WireClient.connect(listener)
    stuck = await WireClient.connect(listener)
    running.send(query("select sleep(0.05)"))
    stuck.send(query("select sleep(60)"))
    while sum(session.busy for session in listener.sessions()) < 2:
        await asyncio.sleep(0)
    stopping = asyncio.ensure_future(listener.stop(0.3))
    assert await idle.rest() == ["Error FATAL 57P01"]
    lines = await running.rest()
    assert "CommandComplete SELECT 1" in lines
    assert lines[-1] == "Error FATAL 57P01"
    assert (await stuck.rest())[-1] == "Error FATAL 57P01"
    await stopping
    with pytest.raises(ConnectionRefusedError):
        await WireClient.open(listener)
    assert listener.session_count == 0


async def test_random_bytes_after_startup(listener: Listener) -> None:
    source = random.Random(7)
    for _ in range(60):
        client = await WireClient.connect(listener)
        kinds = b"QPBEDCSHXFpdcf!"
        parts = []
        for _ in range(source.randrange(1, 8)):
            body = source.randbytes(source.randrange(0, 40))
            parts.append(message(chr(source.choice(kinds)), body))
        client.send(*parts, SYNC)
        client.writer.write_eof()
        await client.rest()
        await client.close()
    await still_serves(listener)


@given(st.binary(max_size=200), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_framer_takes_any_bytes(data: bytes, piece: int) -> None:
    """The same messages or the same error, however the bytes are cut."""

    def run(size: int) -> tuple[list[frontend.Message], bool]:
        framer, messages = Framer(1000), []
        try:
            for start in range(0, len(data), size):
                messages += framer.feed(data[start : start + size])
        except BrokenFraming as broken:
            return messages + broken.messages, True
        return messages, False

    assert run(piece) == run(max(len(data), 1))


@given(st.sampled_from(sorted(frontend.KNOWN)), st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_decoders_take_any_body(kind: int, body: bytes) -> None:
    for decode in (
        frontend.decode_parse,
        frontend.decode_bind,
        frontend.decode_target,
        frontend.decode_execute,
        frontend.decode_query,
        frontend.decode_copy_fail,
        frontend.decode_sasl_initial,
    ):
        try:
            decode(body)
        except SqlError as error:
            assert error.sqlstate in ("08P01", "22021", "22023")


@given(st.binary(max_size=100))
@settings(max_examples=200, deadline=None)
def test_startup_takes_any_bytes(data: bytes) -> None:
    framer = StartupFramer()
    framer.add(data)
    try:
        packet = framer.next_packet()
        if packet is not None:
            frontend.decode_startup(packet)
    except SqlError as error:
        assert error.severity == "FATAL"


@given(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
    st.lists(st.integers(0, 2**32 - 1), max_size=5),
)
def test_parse_round_trip(sql: str, oids: list[int]) -> None:
    decoded = frontend.decode_parse(parse(sql, "name", tuple(oids))[5:])
    assert (decoded.name, decoded.sql, list(decoded.parameter_oids)) == ("name", sql, oids)


@given(
    st.lists(st.none() | st.binary(max_size=10), max_size=5),
    st.lists(st.integers(0, 1), max_size=3),
)
def test_bind_round_trip(values: list[bytes | None], results: list[int]) -> None:
    decoded = frontend.decode_bind(bind(*values, portal="p", results=tuple(results))[5:])
    assert list(decoded.values) == values
    assert list(decoded.result_formats) == results
