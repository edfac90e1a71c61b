"""The supervisor, the status and the harness, with processes that only answer Status."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import harness
import pytest
import trustme

from trilithon.chassis.load import ConfigError
from trilithon.cli.plan import Command, Shape, find_or_make_config, make_plan
from trilithon.cli.state import DataFolder, Identity, identity_of
from trilithon.cli.supervisor import AlreadyRunning, Supervisor
from trilithon.core.errors import Unavailable
from trilithon.link import GrpcNetwork, specs
from trilithon.v1 import journal_pb2

DUMMY = """
import sys
sys.path.insert(0, sys.argv[1])
from trilithon.chassis import main
main._ROLE_MODULES = dict.fromkeys(main._ROLE_MODULES, "dummy_cluster_role")
sys.exit(main.main(sys.argv[2:]))
"""
HERE = str(Path(__file__).parent)


def dummy(command: Command) -> tuple[str, ...]:
    if command.role == "proxy":
        return command.arguments
    return (sys.executable, "-c", DUMMY, HERE, *command.arguments[3:])


@contextlib.contextmanager
def dummies(**options: Any) -> Iterator[harness.Cluster]:
    with harness.running_cluster(command=dummy, **options) as cluster:
        yield cluster


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_a_cluster_comes_up_is_watched_and_stops_in_order() -> None:
    with dummies() as cluster:
        status = cluster.status()
        assert status.leader == "a/adjudicator-0"
        assert status.missing() == []
        raw = json.loads(json.dumps(status.to_json()))
        assert set(raw["endpoints"]) == {"a", "b"}
        assert set(raw["endpoints"]["a"]) == {"postgresql", "grpc"}
        assert len(raw["processes"]) == 9
        by_name = {one["name"]: one for one in raw["processes"]}
        assert by_name["w/journal-0"]["role"] == "witness"
        assert by_name["a/journal-0"]["lease_ms"] == 900
        assert by_name["b/query-0"]["sessions"] == 2
        for name, one in by_name.items():
            assert one["pid"] == cluster.pid(name) > 0

        killed = cluster.pid("b/storage-0")
        os.kill(killed, signal.SIGKILL)
        until(lambda: cluster.pid("b/storage-0") not in (0, killed))
        cluster.wait_ready()
        assert cluster.restarts("b/storage-0") == 1

        cluster.kill("b")
        assert all(cluster.pid(name) == 0 for name in cluster.names("b"))
        status = cluster.status()
        down = {one.name for one in status.processes if not one.up}
        assert down == set(cluster.names("b"))
        assert "no read lease in Region b yet" in status.missing()
        cluster.resume("b")
        cluster.wait_ready()

        cluster.pause("w/journal-0")
        cluster.wait_until(lambda status: "w/journal-0 does not answer" in status.missing())
        cluster.unpause("w/journal-0")
        cluster.wait_ready()
        pids = [cluster.pid(command.name) for command in cluster.plan.commands]
        cluster.stop_processes("w/journal-0")
        assert "stopped in order" in cluster.log("w/journal-0")
    assert not any(identity_of(pid).alive for pid in pids)


def test_each_region_sees_the_others_through_the_proxy() -> None:
    with dummies(rtt_ms=4) as cluster:
        routes = cluster.proxy.send("list")["routes"]
        # Each process has one route from each other Region: 4 + 4 processes twice, and w's one.
        assert len(routes) == 4 * 2 + 4 * 2 + 2
        assert {route["there"]["delay_ms"] for route in routes} == {2.0}
        assert len({route["listen"] for route in routes}) == len(routes)
        cluster.proxy.isolate("b")
        cut = {r["name"] for r in cluster.proxy.send("list")["routes"] if r["there"]["cut"]}
        assert {"a>b/journal-0", "b>a/journal-0", "w>b/journal-0", "b>w/journal-0"} <= cut
        assert "a>w/journal-0" not in cut
        cluster.proxy.heal()
        assert not any(r["there"]["cut"] for r in cluster.proxy.send("list")["routes"])


def test_a_cluster_with_tls_between_its_processes(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    files = {f"tls.{name}": str(tmp_path / f"{name}.pem") for name in ("certificate", "key", "ca")}
    with dummies(regions=("a",), rtt_ms=1, **files) as cluster:
        assert cluster.status().missing() == []
        address = cluster.config.region("a").journal[0].address
        request = journal_pb2.JournalStatusRequest()
        with pytest.raises(Unavailable):
            asyncio.run(GrpcNetwork().call(address, specs.JOURNAL_STATUS, request, timeout=5))


def plan_of(folder: Path, command: Callable[[Command], tuple[str, ...]]) -> Any:
    data = DataFolder(folder)
    shape = Shape(regions=("a",), preferred_ports=False)
    plan = make_plan(data, find_or_make_config(data, shape), rtt_ms=None)
    commands = tuple(Command(one.name, one.region, one.role, command(one)) for one in plan.commands)
    return type(plan)(data, plan.config_file, plan.config, commands)


def asleep(_: Command) -> tuple[str, ...]:
    return ("sleep", "600")


def test_what_dies_again_and_again_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trilithon.cli.supervisor._BACKOFF_MIN_S", 0.0)
    monkeypatch.setattr("trilithon.cli.supervisor.RESTARTS_IN_A_ROW_MAX", 2)
    plan = plan_of(
        tmp_path, lambda one: ("false",) if one.name == "a/query-0" else ("sleep", "600")
    )
    supervisor = Supervisor(plan)
    supervisor.start()

    def given_up() -> bool:
        supervisor.tick()
        return bool(supervisor.failed)

    until(given_up)
    [child] = supervisor.failed
    assert child.command.name == "a/query-0"
    assert child.restarts == 2
    assert "exit code 1" in child.note
    state = plan.folder.read_state()
    assert state.processes["a/query-0"].state == "failed"
    assert state.processes["a/storage-0"].state == "running"
    supervisor.stop()
    assert plan.folder.read_state() is None


def test_one_supervisor_per_folder_and_orphans_are_ended(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, asleep)
    first = Supervisor(plan)
    first.start()
    with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"):
        Supervisor(plan).start()
    orphans = [first.identity(name) for name in first.children]
    assert all(one.alive for one in orphans)
    # The supervisor is lost without stopping anything: its lock goes with it.
    assert first._lock is not None
    first._lock.close()
    second = Supervisor(plan)
    second.start()
    assert not any(one.alive for one in orphans)
    assert all(second.identity(name).alive for name in second.children)
    for child in first.children.values():
        assert child.popen is not None
        child.popen.wait(10)
    second.stop()


def test_a_pid_of_somebody_else_is_not_ours() -> None:
    process = subprocess.Popen(["sleep", "600"])
    try:
        ours = identity_of(process.pid)
        assert ours.alive
        stranger = Identity(process.pid, ours.started + 1)
        assert not stranger.alive
        assert not stranger.signal(signal.SIGKILL)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    assert not ours.alive
    assert not Identity(0, 0).alive


def test_a_cluster_keeps_its_configuration(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    shape = Shape(regions=("a", "b", "c"), preferred_ports=False)
    first = find_or_make_config(folder, shape).read_text()
    assert find_or_make_config(folder, Shape()).read_text() == first
    folder.config_file.write_text("cluster = 3")
    with pytest.raises(ConfigError):
        make_plan(folder, folder.config_file, rtt_ms=None)


def cli(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trilithon.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_the_command_explains_what_is_wrong(tmp_path: Path) -> None:
    nothing = cli("status", "--data", str(tmp_path))
    assert nothing.returncode == 2
    assert "there is no cluster in" in nothing.stderr
    (tmp_path / "cluster.toml").write_text("cluster = 3\nregions = []\n")
    wrong = cli("up", "--data", str(tmp_path))
    assert wrong.returncode == 2
    assert "cluster = 3: Expected `str`, got `int`" in wrong.stderr
    idle = cli("down", "--data", str(tmp_path))
    assert (idle.returncode, "nothing runs" in idle.stdout) == (0, True)
    one = cli("run", "--config", str(tmp_path / "cluster.toml"), "--process", "a/journal-0")
    assert one.returncode == 2


def test_status_of_a_cluster_that_runs_and_of_one_that_does_not() -> None:
    with dummies(regions=("a",)) as cluster:
        shown = cli(
            "status", "--data", str(cluster.folder.path), env={**os.environ, "COLUMNS": "200"}
        )
        assert shown.returncode == 0, shown.stderr
        assert "leader: a/adjudicator-0" in shown.stdout
        assert "a/journal-2" in shown.stdout
        assert "3.5" in shown.stdout
        found = json.loads(cli("status", "--json", "--data", str(cluster.folder.path)).stdout)
        assert found["leader"] == "a/adjudicator-0"
        config = str(cluster.plan.config_file)
        cluster.stop_processes("a")
        gone = cli("status", "--json", "--config", config)
        assert gone.returncode == 1
        assert {one["state"] for one in json.loads(gone.stdout)["processes"]} == {"down"}
