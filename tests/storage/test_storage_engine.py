"""The LMDB side alone: whose folder, kills, full disks, collection, copies."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import lmdb
import pytest
from storage_support import IDENTITY, Model, Store, csn, entry, row, scratch_folder, update

from trilithon.core.invariant import InvariantViolation
from trilithon.disk import FolderRefused, MapFull
from trilithon.storage import engine as engine_module
from trilithon.storage.engine import Engine
from trilithon.storage.versions import received
from trilithon.storage.walk import OLDEST, find, version_key, walk_forward, walk_reverse

HERE = Path(__file__).parent


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch_folder() as path:
        yield path


def test_a_folder_of_somebody_else_is_refused(folder: Path) -> None:
    Engine.open(folder, IDENTITY).close()
    Engine.open(folder, IDENTITY).close()
    with pytest.raises(FolderRefused, match="belongs to the cluster 'cluster'"):
        Engine.open(folder, replace(IDENTITY, cluster="other"))
    with pytest.raises(FolderRefused, match=r"slots 0\.\.1023, configured are 0\.\.511.*rebuild"):
        Engine.open(folder, replace(IDENTITY, slot_last=511))


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"role": "journal"}, "data folder of a journal"),
        ({"role": "storage", "format": 99}, "has format 99, this version reads 1"),
        ([], "something else"),
        (None, "something else"),
    ],
)
def test_other_contents_are_refused(folder: Path, record: object, says: str) -> None:
    environment = lmdb.open(str(folder), max_dbs=4, lib_version=1)
    with environment.begin(write=True) as transaction:
        meta = environment.open_db(b"meta", txn=transaction)
        transaction.put(b"identity", json.dumps(record).encode(), db=meta)
    environment.close()
    with pytest.raises(FolderRefused, match=says):
        Engine.open(folder, IDENTITY)


def test_foreign_lmdb_files_and_garbage_are_refused(folder: Path) -> None:
    environment = lmdb.open(str(folder / "foreign"), max_dbs=4, lib_version=1)
    environment.open_db(b"whatever")
    environment.close()
    with pytest.raises(FolderRefused, match="something else"):
        Engine.open(folder / "foreign", IDENTITY)
    (folder / "garbage").mkdir()
    (folder / "garbage" / "data.mdb").write_bytes(random.Random(1).randbytes(20_000))
    with pytest.raises(FolderRefused, match="no LMDB environment"):
        Engine.open(folder / "garbage", IDENTITY)


def test_two_processes_never_share_a_folder(folder: Path) -> None:
    engine = Engine.open(folder, IDENTITY)
    with pytest.raises(FolderRefused, match="in use"):
        Engine.open(folder, IDENTITY)
    engine.close()
    Engine.open(folder, IDENTITY).close()


def test_applying_twice_or_backwards_stops_the_process(folder: Path) -> None:
    engine = Engine.open(folder, IDENTITY)
    engine.apply([received(csn(5), [(b"k", b"v")])], collect_to=0, collect_max=0)
    with pytest.raises(InvariantViolation):
        engine.apply([received(csn(5), [(b"k", b"v")])], collect_to=0, collect_max=0)
    engine.close()


def test_a_full_map_writes_nothing_and_can_grow(folder: Path) -> None:
    store = Store(folder, map_bytes=300_000)
    store.machine.feed(update(entry(csn(1), 0, [(b"a", row(1))]), settled=csn(1)))
    store.apply()
    many = [(b"k%05d" % n, row("x" * 100)) for n in range(5_000)]
    store.machine.feed(update(entry(csn(2), csn(1), many), settled=csn(2)))
    with pytest.raises(MapFull):
        store.apply()
    assert store.engine.applied == csn(1)
    # Nothing is lost for readers meanwhile: the memory table has it.
    assert len(store.scan(csn(2))) == 5_001
    while store.engine.applied < csn(2):
        try:
            store.apply()
        except MapFull:
            store.engine.grow_map()
    assert len(store.scan(csn(2))) == 5_001
    store.reopen()
    assert store.engine.applied == csn(2)
    assert len(store.scan(csn(2))) == 5_001
    store.engine.close()


FULL_DISK = """
    import resource, signal, sys
    sys.path.insert(0, sys.argv[2])
    from pathlib import Path
    from storage_support import Store, csn, entry, row, update
    from trilithon.disk import DiskFull
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = Store(Path(sys.argv[1]))
    store.machine.feed(update(entry(csn(1), 0, [(b"a", row(1))]), settled=csn(1)))
    store.apply()
    size = (Path(sys.argv[1]) / "data.mdb").stat().st_size
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, hard))
    many = [(b"k%05d" % n, row("x" * 100)) for n in range(20_000)]
    store.machine.feed(update(entry(csn(2), csn(1), many), settled=csn(2)))
    for _ in range(2):
        try:
            store.apply()
        except DiskFull:
            print("full")
    assert store.engine.applied == csn(1) and store.get(csn(2), b"a") == 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store.apply()
    store.reopen()
    assert len(store.scan(csn(2))) == 20_001
    print("whole")
"""


def test_a_full_disk_writes_nothing_and_can_be_retried(folder: Path) -> None:
    """File size limits make the very same failures as a full disk, and need no privileges."""
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(folder), str(HERE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.stdout.split() == ["full", "full", "whole"], child.stderr


def test_killed_at_any_instant_it_holds_a_prefix(folder: Path) -> None:
    """SIGKILL in the middle of applying: all entries up to `applied` are there, nothing else is."""
    source = random.Random(11)
    told = 0
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, str(HERE / "storage_child.py"), str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        for _ in range(source.randrange(2, 12)):
            told = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait(10)
        told = int(rest[-1]) if rest else told
        store = Store(folder)
        applied = store.engine.applied
        assert applied >= told
        last = applied & 0xFFFFF
        model = Model()
        for number in range(1, last + 1):
            model.write(
                csn(number), {b"k%03d" % (n % 50): [number, n] for n in range(number, number + 40)}
            )
        low = max(store.engine.collected, csn(max(1, last - 30)))
        for snapshot in range(low, applied + 1):
            assert store.scan(snapshot) == model.scan(snapshot, b"", b"")
        with store.engine.reading() as cursor:
            stored = {bytes(key) for key, _ in cursor.iternext()}
        assert all(((1 << 64) - 1 - int.from_bytes(key[-8:], "big")) <= applied for key in stored)
        store.engine.close()


def test_collection_keeps_exactly_what_snapshots_may_see(folder: Path) -> None:
    store = Store(folder)
    history = [
        {b"a": 1, b"b": 1},
        {b"a": 2},
        {b"b": None},
        {b"a": None, b"c": 1},
        {b"a": 3, b"c": 2},
    ]
    previous = 0
    for number, writes in enumerate(history, 1):
        pairs = [(key, None if one is None else row(one)) for key, one in writes.items()]
        store.machine.feed(update(entry(csn(number), previous, pairs), settled=csn(number)))
        previous = csn(number)
    store.apply()

    def stored() -> set[tuple[bytes, int]]:
        with store.engine.reading() as cursor:
            return {
                (key[:-8], (1 << 64) - 1 - int.from_bytes(key[-8:], "big") & 0xFF)
                for key, _ in cursor.iternext()
            }

    assert len(stored()) == 8
    store.apply(collect_to=csn(3))
    assert stored() == {(b"a", 2), (b"a", 4), (b"a", 5), (b"c", 4), (b"c", 5)}
    assert store.engine.collected == csn(3)
    # In small steps it comes to the same.
    for _ in range(10):
        store.apply(collect_to=csn(5), collect_max=1)
    assert stored() == {(b"a", 5), (b"c", 5)}
    assert store.scan(csn(5)) == [(b"a", 3), (b"c", 2)]
    store.engine.close()


def test_a_large_entry_leaves_its_garbage_in_parts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_GARBAGE_PART_BYTES", 64)
    store = Store(folder)
    keys = [b"key-%04d" % n for n in range(100)]
    for number in (1, 2):
        writes = [(key, row(number)) for key in keys]
        store.machine.feed(update(entry(csn(number), csn(number - 1) * (number > 1), writes)))
    store.machine.feed(update(settled=csn(2)))
    store.apply()
    store.apply(collect_to=csn(2), collect_max=10)
    assert store.scan(csn(2)) == [(key, 2) for key in keys]
    for _ in range(30):
        store.apply(collect_to=csn(2), collect_max=10)
    with store.engine.reading() as cursor:
        assert sum(1 for _ in cursor.iternext()) == 100
    store.engine.close()


def test_a_hot_copy_continues_where_the_original_was(folder: Path) -> None:
    store = Store(folder / "original")
    store.machine.feed(update(entry(csn(1), 0, [(b"a", row(1))]), settled=csn(1)))
    store.apply()
    store.engine.copy_to(folder / "copy")
    copy = Store(folder / "copy")
    assert copy.engine.applied == csn(1)
    assert copy.scan(csn(1)) == [(b"a", 1)]
    copy.engine.close()
    store.engine.close()


def test_keys_that_are_prefixes_of_bounds_stay_in_their_ranges(folder: Path) -> None:
    """Bounds like `key + 00` ("after this key") sort among the versions of `key` itself."""
    store = Store(folder)
    for number in range(1, 30):
        writes = [(b"ab", row(number)), (b"ad", row(number))]
        previous = csn(number - 1) if number > 1 else 0
        store.machine.feed(update(entry(csn(number), previous, writes), settled=csn(number)))
    store.apply()
    for reverse in (False, True):
        for start, end, found in [
            (b"ab\0", b"", [b"ad"]),
            (b"ab\xff\xff", b"", [b"ad"]),
            (b"", b"ad\0", [b"ab", b"ad"]),
            (b"", b"ad\xff\xff\xff\xff\xff\xff\xff\xff\xff", [b"ab", b"ad"]),
            (b"ab", b"ab\0", [b"ab"]),
            (b"ab\0", b"ad", []),
            (b"a", b"ad", [b"ab"]),
        ]:
            for snapshot in (csn(1), csn(15), csn(29)):
                keys = [key for key, _ in store.scan(snapshot, start, end, reverse=reverse)]
                assert keys == (found[::-1] if reverse else found)
    with store.engine.reading() as cursor:
        assert find(cursor, b"ab", csn(7)) == (csn(7), row(7))
        assert find(cursor, b"ab", csn(0)) is None
        assert find(cursor, b"aa", csn(7)) is None
        assert list(walk_forward(cursor, b"", b"", csn(0))) == []
        assert list(walk_reverse(cursor, b"", b"", csn(0))) == []
        assert not cursor.set_key(b"ab" + OLDEST)
        assert cursor.set_key(version_key(b"ab", csn(3)))
    store.engine.close()
