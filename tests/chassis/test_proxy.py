"""The proxy between Regions: order, distance, and what each fault looks like from both ends."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from trilithon.chassis.proxy import Proxy, ProxyControl, Route
from trilithon.chassis.render import PortChooser

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class EchoServer:
    def __init__(self) -> None:
        self.connections = 0
        self.received = bytearray()
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while data := await reader.read(65536):
                self.received += data
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        self.ended.set()
        writer.close()


class Setup:
    def __init__(self, proxy: Proxy, echo: EchoServer, port: int, control: ProxyControl) -> None:
        self.proxy = proxy
        self.echo = echo
        self.port = port
        self._control = control

    async def connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def command(self, do: str, **more: Any) -> dict[str, Any]:
        return await asyncio.to_thread(self._control.send, do, **more)

    async def exchange(self, streams: Streams, data: bytes) -> bytes:
        reader, writer = streams
        writer.write(data)
        async with asyncio.timeout(20):
            return await reader.readexactly(len(data))


@asynccontextmanager
async def running(delay_s: float = 0.0) -> AsyncIterator[Setup]:
    ports = PortChooser("127.0.0.1")
    listen, target = ports.any(), ports.any()
    echo = EchoServer()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", int(target.split(":")[1]))
    proxy = Proxy([Route("a>b/journal-0", listen, target)], delay_s, random.Random(1))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "control")
        await proxy.start(path)
        try:
            yield Setup(proxy, echo, int(listen.split(":")[1]), ProxyControl(path))
        finally:
            await proxy.stop()
            server.close()


async def test_bytes_pass_unchanged_and_in_order() -> None:
    async with running() as setup:
        streams = await setup.connect()
        data = random.Random(2).randbytes(5_000_000)
        assert await setup.exchange(streams, data) == data


async def test_half_the_round_trip_is_spent_each_way() -> None:
    async with running(delay_s=0.05) as setup:
        streams = await setup.connect()
        loop = asyncio.get_running_loop()
        await setup.exchange(streams, b"warm")
        begun = loop.time()
        await setup.exchange(streams, b"x")
        assert loop.time() - begun >= 0.1
        # Order holds under jitter and loss, too.
        await setup.command("set", delay_ms=1, jitter_ms=5, loss=0.05)
        data = random.Random(3).randbytes(2_000_000)
        assert await setup.exchange(streams, data) == data


async def test_a_cut_holds_bytes_and_closing_until_it_is_healed() -> None:
    async with running() as setup:
        streams = await setup.connect()
        await setup.exchange(streams, b"before")
        await setup.command("set", cut=True)
        answer = asyncio.create_task(setup.exchange(streams, b"during"))
        late = await setup.connect()
        late_answer = asyncio.create_task(setup.exchange(late, b"late"))
        leaver = await setup.connect()
        leaver[1].close()
        done, _ = await asyncio.wait({answer, late_answer}, timeout=0.3)
        assert not done
        assert not setup.echo.ended.is_set()
        assert setup.echo.connections == 1
        await setup.command("heal")
        assert await answer == b"during"
        assert await late_answer == b"late"
        streams[1].close()
        await asyncio.wait_for(setup.echo.ended.wait(), 20)


async def test_a_cut_of_one_direction() -> None:
    async with running() as setup:
        streams = await setup.connect()
        await setup.exchange(streams, b"before")
        await setup.command("set", cut=True, direction="back")
        answer = asyncio.create_task(setup.exchange(streams, b"one way"))
        async with asyncio.timeout(20):
            while not setup.echo.received.endswith(b"one way"):
                await asyncio.sleep(0.005)
        assert not answer.done()
        await setup.command("heal")
        assert await answer == b"one way"


async def test_resets_and_garbage() -> None:
    async with running() as setup:
        streams = await setup.connect()
        await setup.exchange(streams, b"before")
        await setup.command("garbage", direction="back", bytes=10)
        async with asyncio.timeout(20):
            assert len(await streams[0].readexactly(10)) == 10
        assert bytes(setup.echo.received) == b"before"
        await setup.command("reset")
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(20):
                await streams[0].read()
        again = await setup.connect()
        assert await setup.exchange(again, b"again") == b"again"


async def test_a_target_that_is_down_refuses() -> None:
    ports = PortChooser("127.0.0.1")
    listen = ports.any()
    proxy = Proxy([Route("a>b/x", listen, ports.any())], 0.0)
    with tempfile.TemporaryDirectory() as folder:
        await proxy.start(str(Path(folder) / "control"))
        reader, _ = await asyncio.open_connection("127.0.0.1", int(listen.split(":")[1]))
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(20):
                await reader.read()
        await proxy.stop()


async def test_commands_that_make_no_sense_are_refused() -> None:
    async with running() as setup:
        for wrong in (
            {"do": "explode"},
            {"do": "set", "loss": 2},
            {"do": "set", "delay_ms": -1},
            {"do": "set", "delay_ms": "far"},
            {"do": "set", "direction": "sideways"},
        ):
            with pytest.raises(ValueError, match=r"expected|convert"):
                await setup.command(**wrong)
        assert (await setup.command("set", routes="b>*", cut=True))["routes"] == []
        [route] = (await setup.command("list"))["routes"]
        assert route["name"] == "a>b/journal-0"
        assert not route["there"]["cut"]


async def test_what_is_lost_comes_later_and_nothing_overtakes() -> None:
    async with running() as setup:
        streams = await setup.connect()
        await setup.exchange(streams, b"before")
        loop = asyncio.get_running_loop()
        await setup.command("set", loss=1.0, direction="there")
        began = loop.time()
        assert await setup.exchange(streams, b"lost once") == b"lost once"
        assert loop.time() - began >= 0.2, "one retransmission"
        await setup.command("set", loss=0.5, jitter_ms=5.0)
        data = random.Random(3).randbytes(300_000)
        assert await setup.exchange(streams, data) == data
        [route] = (await setup.command("list"))["routes"]
        assert (route["there"]["loss"], route["back"]["jitter_ms"]) == (0.5, 5.0)
        await setup.command("heal")
        [route] = (await setup.command("list"))["routes"]
        assert (route["there"]["loss"], route["back"]["jitter_ms"]) == (0.0, 0.0)
