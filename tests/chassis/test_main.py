"""The process's main: start, serve, stop, exit codes, metrics, invariants. Real processes."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trilithon.chassis.config import ClusterConfig
from trilithon.chassis.render import default_config, to_toml
from trilithon.core.errors import Unavailable
from trilithon.link import GrpcNetwork, specs
from trilithon.v1 import journal_pb2

RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from trilithon.chassis import main
main._ROLE_MODULES["journal"] = "dummy_role"
main.STOP_SECONDS = 0.5
sys.exit(main.main(sys.argv[2:]))
"""


class Started:
    def __init__(self, process: asyncio.subprocess.Process, config: ClusterConfig) -> None:
        self.process = process
        self.journal = config.region("a").journal[0]

    async def wait(self) -> tuple[int, str, str]:
        out, err = await asyncio.wait_for(self.process.communicate(), 60)
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()

    async def serving(self) -> None:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        assert line == b"serving\n"


async def started(
    folder: Path, behaviour: str = "serve", process: str = "a/journal-0", **changes: Any
) -> Started:
    config = default_config(cluster="test", preferred_ports=False)
    text = to_toml(config).replace('data = "a/journal-0"', f'data = "{behaviour}"')
    for key, value in changes.items():
        text = f"{key} = {json.dumps(value)}\n{text}"
    path = folder / "cluster.toml"
    path.write_text(text)
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", RUN, str(Path(__file__).parent)),
        *("--config", str(path), "--process", process),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    return Started(running, config)


async def metrics_of(address: str, request: bytes = b"GET /metrics HTTP/1.1\r\n\r\n") -> str:
    host, port = address.split(":")
    async with asyncio.timeout(20):
        while True:
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
        writer.write(request)
        answer = (await reader.read()).decode()
        writer.close()
        return answer


async def test_a_process_serves_and_stops_in_order(tmp_path: Path) -> None:
    run = await started(tmp_path)
    await run.serving()
    network = GrpcNetwork()
    request = journal_pb2.JournalStatusRequest()
    reply = await network.call(run.journal.address, specs.JOURNAL_STATUS, request, timeout=10)
    assert reply.leader == "a"
    text = await metrics_of(run.journal.metrics)
    labels = 'process="a/journal-0",region="a",role="journal"'
    assert f"trilithon_synced_csn{{{labels}}} 42.0" in text
    assert f"trilithon_commits_total{{{labels}}} 7.0" in text
    assert f"trilithon_odd_name{{{labels}}} 1.0" in text
    assert "process_resident_memory_bytes" in text
    assert "404" in await metrics_of(run.journal.metrics, b"GET / HTTP/1.1\r\n\r\n")
    assert "400" in await metrics_of(run.journal.metrics, b"\xff\xfe\r\n\r\n")
    assert await metrics_of(run.journal.metrics, b"x" * 40_000) == ""
    assert "trilithon_synced_csn" in await metrics_of(run.journal.metrics)
    run.process.send_signal(signal.SIGTERM)
    code, out, err = await run.wait()
    assert code == 0
    assert "stopped in order" in out
    lines = [msgspec.json.decode(line) for line in err.splitlines()]
    assert lines[0]["process"] == "a/journal-0"
    assert lines[0]["role"] == "journal"
    assert "serves on" in lines[0]["event"]
    with pytest.raises(Unavailable):
        await network.call(run.journal.address, specs.JOURNAL_STATUS, request, timeout=10)


@pytest.mark.parametrize(
    ("behaviour", "code", "says"),
    [
        ("fail", 1, "sync failed"),
        ("refuse", 1, "belongs to another cluster"),
        ("violate-callback", 70, "an invariant does not hold: one is more than two"),
        ("violate-task", 70, "an invariant does not hold: one is more than two"),
        ("violate-thread", 70, "an invariant does not hold: one is more than two"),
        ("violate-directly", 70, "an invariant does not hold: one is more than two"),
    ],
)
async def test_a_process_that_must_not_go_on_ends(
    tmp_path: Path, behaviour: str, code: int, says: str
) -> None:
    run = await started(tmp_path, behaviour)
    ended, out, err = await run.wait()
    assert (ended, "went on" in out) == (code, False)
    assert says in err


async def test_an_ordinary_bug_in_a_callback_is_logged_and_survived(tmp_path: Path) -> None:
    run = await started(tmp_path, "bug")
    await run.serving()
    assert run.process.stderr is not None
    async with asyncio.timeout(30):
        while b"a bug in a callback" not in await run.process.stderr.readline():
            pass
    run.process.send_signal(signal.SIGINT)
    assert (await run.wait())[0] == 0


async def test_a_role_that_does_not_stop_is_left_behind(tmp_path: Path) -> None:
    run = await started(tmp_path, "hang")
    await run.serving()
    run.process.send_signal(signal.SIGTERM)
    code, _, err = await run.wait()
    assert code == 3
    assert "did not stop" in err


async def test_a_signal_during_the_start_ends_it(tmp_path: Path) -> None:
    run = await started(tmp_path, "slow")
    await run.serving()
    run.process.send_signal(signal.SIGTERM)
    assert (await run.wait())[0] == 0


async def test_wrong_configurations_are_refused(tmp_path: Path) -> None:
    code, _, err = await (await started(tmp_path, lease_ttl_ms=3)).wait()
    assert (code, "lease_ttl_ms = 3: expected 100 to 60000" in err) == (2, True)
    code, _, err = await (await started(tmp_path, process="a/nothing")).wait()
    assert (code, "'a/nothing' is not in the configuration" in err) == (2, True)


async def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    first = await started(tmp_path)
    await first.serving()
    text = (tmp_path / "cluster.toml").read_text()
    second_folder = tmp_path / "second"
    second_folder.mkdir()
    second = await started(second_folder)
    second.process.kill()
    await second.wait()
    (second_folder / "cluster.toml").write_text(text)
    path = str(second_folder / "cluster.toml")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", RUN, str(Path(__file__).parent), "--config", path, "--process", "a/journal-0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    code, _, err = await Started(process, default_config(cluster="x")).wait()
    assert (code, "cannot listen on" in err) == (1, True)
    first.process.send_signal(signal.SIGTERM)
    assert (await first.wait())[0] == 0
