"""What a process finds when it starts: a wrong configuration, somebody else's data folder, a port
that is taken, a full disk. Real processes; each says in one line what is wrong."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from harness import running_cluster

from trilithon.chassis.render import default_config, to_toml
from trilithon.disk import META, open_environment, put_identity

END_S = 60
# Between two looks at a condition.
PAUSE = threading.Event()


def config_text() -> str:
    return to_toml(default_config(cluster="mine", preferred_ports=False))


def start(folder: Path, text: str, process: str = "a/journal-0") -> subprocess.Popen[str]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cluster.toml"
    path.write_text(text)
    return subprocess.Popen(
        [sys.executable, "-m", "trilithon.chassis.main", "--config", path, "--process", process],
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        _, said = process.communicate(timeout=END_S)
    finally:
        process.kill()
    return process.returncode, said


# ---- the configuration

MISTAKES = {
    "no TOML": (lambda text: text + "\n[[[", ["is no valid TOML"]),
    "binary": (lambda text: "\0\1\2", ["is no valid TOML"]),
    "empty": (lambda text: "", ["cluster"]),
    "wrong type": (
        lambda text: 'lease_ttl_ms = "soon"\n' + text,
        ["lease_ttl_ms", "'soon'", "int"],
    ),
    "out of range": (
        lambda text: "lease_ttl_ms = 5\n" + text,
        ["lease_ttl_ms = 5", "100 to 60000"],
    ),
    "unknown key": (lambda text: "leese = 5\n" + text, ["leese"]),
    "limits": (
        lambda text: "limits.message_bytes = 1000\n" + text,
        ["limits.message_bytes = 1000", "expected at least"],
    ),
    "address": (
        lambda text: text.replace('address = "127.0.0.1:', 'address = "127.0.0.1;', 1),
        ["address", "127.0.0.1;", "expected host:port"],
    ),
    "twice": (
        lambda text: text.replace('name = "b/journal-0"', 'name = "a/journal-0"'),
        ["name = 'a/journal-0'", "2 times"],
    ),
    "slots": (
        lambda text: text.replace('name = "a/storage-0"', 'name = "a/storage-0"\nslot_first = 9'),
        ["a/storage-0", "slot_first = 9"],
    ),
    "certificate": (
        lambda text: 'tls.certificate = "no.pem"\ntls.key = "no.pem"\n' + text,
        ["tls.certificate", "no.pem", "expected a readable PEM file"],
    ),
}


def test_wrong_configurations(tmp_path: Path) -> None:
    text = config_text()
    running = {name: start(tmp_path / name, change(text)) for name, (change, _) in MISTAKES.items()}
    running["no such process"] = start(tmp_path / "x", text, process="a/nobody-0")
    expected = {name: words for name, (_, words) in MISTAKES.items()}
    expected["no such process"] = ["--process", "a/nobody-0", "expected one of", "a/journal-0"]
    for name, process in running.items():
        code, said = ended(process)
        assert code == 2, (name, said)
        assert "Traceback" not in said
        for word in expected[name]:
            assert word in said, (name, said)
    missing = [sys.executable, "-m", "trilithon.cli.main", "up", "--config", tmp_path / "none.toml"]
    up = subprocess.run(missing, capture_output=True, text=True, timeout=END_S, check=False)
    assert up.returncode == 2
    assert "cannot be read" in up.stderr


# ---- the data folder


def make_folder(path: Path, **identity: Any) -> None:
    path.mkdir(parents=True)
    environment = open_environment(path, 1 << 20)
    meta = environment.open_db(META)
    with environment.begin(write=True) as transaction:
        put_identity(transaction, meta, identity)
    environment.close()


def test_other_peoples_data_folders(tmp_path: Path) -> None:
    text = config_text()
    expected: dict[str, tuple[str, list[str]]] = {}

    def case(name: str, process: str, *words: str) -> Path:
        expected[name] = (process, list(words))
        (tmp_path / name).mkdir()
        return tmp_path / name / process

    for process, role, other in (
        ("a/journal-0", "journal", "storage"),
        ("a/storage-0", "storage", "journal"),
        ("w/journal-0", "witness", "journal"),
    ):
        folder = case(f"{role} role", process, f"data folder of a {other}", role)
        make_folder(folder, role=other, format=1, cluster="mine")
        folder = case(f"{role} cluster", process, "belongs to the cluster 'yours'", "'mine'")
        make_folder(folder, role=role, format=1, cluster="yours")
    folder = case("format", "a/storage-0", "has format 99")
    make_folder(folder, role="storage", format=99, cluster="mine")
    folder = case("foreign", "a/storage-0", "something else than")
    make_folder(folder, colour="blue")
    garbage = case("garbage", "a/journal-0", "no LMDB environment that can be read")
    garbage.mkdir(parents=True)
    (garbage / "data.mdb").write_bytes(os.urandom(100_000))
    file = case("file", "a/journal-0", "file")
    file.parent.mkdir()
    file.write_text("I am a file")
    running = {
        name: start(tmp_path / name, text, process) for name, (process, _) in expected.items()
    }
    for name, process in running.items():
        code, said = ended(process)
        assert code == 1, (name, said)
        for word in (*expected[name][1], "cannot start"):
            assert word.lower() in said.lower(), (name, said)


def test_a_data_folder_in_use(tmp_path: Path) -> None:
    first = start(tmp_path / "first", config_text())
    try:
        assert first.stderr is not None
        while "serves on" not in (line := first.stderr.readline()):
            assert line, "the first one has ended"
        text = config_text().replace(
            'data = "a/journal-0"', f'data = "{tmp_path / "first" / "a" / "journal-0"}"'
        )
        code, said = ended(start(tmp_path / "second", text))
        assert code == 1
        assert "is in use by another process" in said
        assert first.poll() is None
    finally:
        first.terminate()
        assert ended(first)[0] == 0


# ---- ports


def test_ports_that_are_taken(tmp_path: Path) -> None:
    config = default_config(cluster="mine", preferred_ports=False)
    [a, *_] = config.regions
    with contextlib.ExitStack() as stack:
        running = {}
        for process, address in (
            (a.journal[0], a.journal[0].address),
            (a.storage[0], a.storage[0].address),
            (a.adjudicator[0], a.adjudicator[0].address),
            (a.query[0], a.query[0].postgresql),
        ):
            taken = stack.enter_context(socket.socket())
            host, _, port = address.rpartition(":")
            taken.bind((host, int(port)))
            taken.listen()
            running[address] = start(tmp_path / process.name, to_toml(config), process.name)
        for address, process in running.items():
            code, said = ended(process)
            port = address.rpartition(":")[2]
            assert (code, port in said, "cannot start" in said) == (1, True, True), said
            assert "Traceback" not in said


# ---- a full disk


class SmallDisk:
    """A file system of its own that can grow."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._mount(f"size={megabytes}m", "tmpfs")

    def _mount(self, options: str, *source: str) -> None:
        kind = ["-t", "tmpfs"] if source else []
        done = subprocess.run(
            ["mount", *kind, "-o", options, *source, self.folder], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no file systems may be mounted here: {done.stderr.decode().strip()}")

    def grow(self, megabytes: int) -> None:
        self._mount(f"remount,size={megabytes}m")

    def close(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str, int], SmallDisk]]:
    with contextlib.ExitStack() as stack:

        def make(name: str, megabytes: int) -> SmallDisk:
            disk = SmallDisk(tmp_path / name, megabytes)
            stack.callback(disk.close)
            return disk

        yield make


@pytest.mark.timeout(240)
def test_full_disks(tmp_path: Path, small_disk: Callable[[str, int], SmallDisk]) -> None:
    """Storage waits for space, and reads go on. The journal stops rather than acknowledge what it
    cannot keep; the other Region goes on. With space again everything acknowledged is there."""
    storage, journal = small_disk("b/storage-0", 4), small_disk("a/journal-0", 10)
    acknowledged: list[int] = []
    with (
        running_cluster(folder=tmp_path) as cluster,
        psycopg.connect(**cluster.postgresql("b"), autocommit=True) as session,
    ):
        session.execute("CREATE TABLE filling (id int PRIMARY KEY, body text)")

        def write() -> None:
            number = len(acknowledged) + 1
            session.execute("INSERT INTO filling VALUES (%s, repeat('x', 400000))", [number])
            acknowledged.append(number)

        def count(region: str) -> int:
            with psycopg.connect(**cluster.postgresql(region), autocommit=True) as one:
                row = one.execute("SELECT count(*) FROM filling").fetchone()
                assert row is not None
                return int(row[0])

        def until(condition: Callable[[], bool]) -> None:
            deadline = time.monotonic() + 60
            while not condition():
                assert time.monotonic() < deadline, cluster.log_tails()
                PAUSE.wait(0.05)

        while "no space, applying waits" not in cluster.log("b/storage-0"):
            write()
            assert len(acknowledged) < 100, "the disk should be full by now"
            PAUSE.wait(0.05)
        assert count("b") == count("a") == len(acknowledged)
        status = cluster.status()
        [full] = [one for one in status.processes if one.name == "b/storage-0"]
        assert "no space" in full.note
        storage.grow(200)
        until(lambda: "there is space again" in cluster.log("b/storage-0"))

        while cluster.restarts("a/journal-0") == 0:
            write()
            assert len(acknowledged) < 100, "the disk should be full by now"
        for _ in range(5):
            write()
        assert count("b") == len(acknowledged)
        assert "the disk is full" in cluster.log("a/journal-0")
        with psycopg.connect(**cluster.postgresql("a"), autocommit=True) as session_a:
            with pytest.raises(psycopg.OperationalError) as caught:
                session_a.execute("SELECT count(*) FROM filling")
            assert caught.value.sqlstate == "57P03"
        journal.grow(200)
        cluster.resume("a/journal-0")
        cluster.wait_ready()
        assert count("a") == count("b") == len(acknowledged)
        assert cluster.restarts("b/storage-0") == 0
