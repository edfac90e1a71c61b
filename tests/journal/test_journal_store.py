"""The LMDB side alone: what was written comes back, whose folder, kills, full and broken disks."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_support import c, candidate, entries_of, entry, members, open_file, scratch_folder

import trilithon.journal.store as store_module
from trilithon.core.csn import CSN_MAX, make_csn
from trilithon.core.invariant import InvariantViolation
from trilithon.disk import DiskFull, FolderRefused
from trilithon.journal.operations import (
    AppendEntries,
    Cut,
    DurableState,
    Operation,
    RecoveredState,
    SetBase,
    SetLeaseTtl,
    SetPromise,
    SetSettled,
)
from trilithon.journal.store import EntryDamaged, LogFile
from trilithon.v1.journal_pb2 import Base
from trilithon.v1.types_pb2 import Entry

HERE = Path(__file__).parent
PARTS = ("promised_epoch", "candidate", "lease_ttl_us", "settled_csn", "base", "spans")
PARTS += ("catalog_csns", "member_entries", "incarnation")


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch_folder() as path:
        yield path


def assert_same(found: RecoveredState, model: RecoveredState) -> None:
    for part in PARTS:
        assert getattr(found, part) == getattr(model, part), part
    if model.spans:
        assert found.recent
        assert found.recent == model.recent[-len(found.recent) :]
    assert found.log_bytes > 0 or not model.spans


# ---- against the model


class Writer:
    """Makes operations that a machine could ask for."""

    def __init__(self) -> None:
        self.csns: list[int] = [0]
        self.epoch = 0

    def operation(self, kind: int, one: int, two: int) -> list[Operation]:
        tail = self.csns[-1]
        match kind:
            case 0 | 1 | 2 if tail:
                made: list[Entry] = []
                for _ in range(1 + one % 5):
                    lists = members("abw") if (one + two) % 7 == 0 else None
                    csn = self.csns[-1] + 1
                    catalog = lists is None and two % 5 == 0
                    size = 10 * two if two % 9 else 5_000
                    made.append(entry(csn, self.csns[-1], catalog=catalog, lists=lists, size=size))
                    self.csns.append(csn)
                return [AppendEntries(made)]
            case 3 if len(self.csns) > 1:
                to = self.csns[max(0, len(self.csns) - 1 - one % 4)]
                self.csns = [csn for csn in self.csns if csn <= to]
                self.epoch += 1
                start = entry(make_csn(self.epoch, 0), to)
                self.csns.append(start.csn)
                return [Cut(to), AppendEntries([start])]
            case 4:
                base = self.csns[one % len(self.csns)]
                self.csns = [csn for csn in self.csns if csn >= base]
                kept = [entry(c("1.0"), 0, lists=members("abw"))]
                return [SetBase(Base(csn=base, catalog_csn=base, member_entries=kept))]
            case 5:
                return [SetSettled(self.csns[one % len(self.csns)])]
            case 6:
                return [SetLeaseTtl(one + 1)]
        self.epoch += 1 + one % 3
        first = entry(make_csn(self.epoch, 0), tail, lists=members("abw") if not tail else None)
        self.csns.append(first.csn)
        who = candidate("xyz"[one % 3])
        return [SetPromise(self.epoch, who), AppendEntries([first])]


numbers = st.tuples(st.integers(0, 8), st.integers(0, 60), st.integers(0, 60))
batches = st.lists(st.lists(numbers, min_size=1, max_size=4), min_size=1, max_size=10)


@settings(max_examples=60, deadline=None)
@given(batches, st.sampled_from([1, 2_000, 1 << 20]))
def test_what_was_written_comes_back(todo: Sequence[Any], recent_bytes: int) -> None:
    with scratch_folder() as folder:
        file = open_file(folder, recent_bytes=recent_bytes)
        model = DurableState(file.incarnation)
        writer = Writer()
        for number, batch in enumerate(todo):
            operations = [one for numbers in batch for one in writer.operation(*numbers)]
            file.write(operations)
            model.apply(operations)
            if number % 3 == 2:
                file.close()
                file = open_file(folder, recent_bytes=recent_bytes)
            assert_same(file.load(), model.recover())
            after = writer.csns[number % len(writer.csns)]
            for to in (writer.csns[-1], CSN_MAX):
                assert file.read_entries(after, to, 1 << 30) == model.read_entries(
                    after, to, 1 << 30
                )
        assert len(file.read_entries(0, CSN_MAX, 1)) == min(1, len(model.entries))
        file.close()


def test_reading_keeps_to_its_bounds(folder: Path) -> None:
    file = open_file(folder)
    entries = [
        entry(c("1.0"), 0),
        *(entry(c(f"1.{n}"), c(f"1.{n - 1}"), size=100) for n in range(1, 20)),
    ]
    file.write([AppendEntries(entries)])
    assert file.read_entries(c("1.3"), c("1.5"), 1 << 20) == entries[4:6]
    assert file.read_entries(c("1.3"), c("1.19"), 1) == entries[4:5]
    some = file.read_entries(c("1.3"), c("1.19"), 400)
    assert 1 < len(some) < 5
    assert file.read_entries(c("1.19"), CSN_MAX, 1 << 20) == []
    assert file.read_entries(CSN_MAX, CSN_MAX, 1 << 20) == []
    file.close()


# ---- whose folder


def test_a_folder_keeps_its_incarnation(folder: Path) -> None:
    first = open_file(folder)
    first.close()
    again = open_file(folder, source=random.Random(2))
    assert again.incarnation == first.incarnation
    again.close()
    other = open_file(folder / "other", source=random.Random(2))
    assert other.incarnation != first.incarnation
    other.close()


def test_another_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_file(folder).close()
    with pytest.raises(
        FolderRefused, match=r"belongs to the cluster .cluster., this process to .other."
    ):
        open_file(folder, cluster="other")
    with pytest.raises(FolderRefused, match="data folder of a journal, not of witness"):
        open_file(folder, role="witness")
    monkeypatch.setattr(store_module, "FORMAT_VERSION", 2)
    with pytest.raises(FolderRefused, match="has format 1, this version reads 2"):
        open_file(folder)
    monkeypatch.undo()
    open_file(folder).close()


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (b"null", "something else"),
        (b"\xff", "something else"),
        (b'{"role": "storage"}', "data folder of a storage"),
        (b'{"role": "journal", "format": 1, "cluster": "cluster"}', "which incarnation"),
        (
            b'{"role": "journal", "format": 1, "cluster": "cluster", "incarnation": 5}',
            "which incarnation",
        ),
        (
            b'{"role": "journal", "format": 1, "cluster": "cluster", "incarnation": "00"}',
            "which incarnation",
        ),
    ],
)
def test_a_strange_identity_is_refused(folder: Path, record: bytes, says: str) -> None:
    environment = lmdb.open(str(folder), max_dbs=4, lib_version=1)
    with environment.begin(write=True) as transaction:
        meta = environment.open_db(b"meta", txn=transaction)
        transaction.put(b"identity", record, db=meta)
    environment.close()
    with pytest.raises(FolderRefused, match=says):
        open_file(folder)


def test_something_else_is_refused(folder: Path) -> None:
    environment = lmdb.open(str(folder / "foreign"), max_dbs=4, lib_version=1)
    environment.open_db(b"whatever")
    environment.close()
    with pytest.raises(FolderRefused, match="something else than Trilithon's journal"):
        open_file(folder / "foreign")
    plain = lmdb.open(str(folder / "plain"), lib_version=1)
    with plain.begin(write=True) as transaction:
        transaction.put(b"meta", b"a value, not a database")
    plain.close()
    with pytest.raises(FolderRefused, match="something else than Trilithon's journal"):
        open_file(folder / "plain")
    (folder / "garbage").mkdir()
    (folder / "garbage" / "data.mdb").write_bytes(random.Random(1).randbytes(20_000))
    with pytest.raises(FolderRefused, match="no LMDB environment"):
        open_file(folder / "garbage")


def test_one_process_at_a_time(folder: Path) -> None:
    file = open_file(folder)
    with pytest.raises(FolderRefused, match="in use by another process"):
        open_file(folder)
    file.close()
    open_file(folder).close()


FIRST_START = """
    import os, sys
    sys.path.insert(0, sys.argv[2])
    from pathlib import Path
    import trilithon.journal.store as store
    from journal_support import open_file
    real, steps = store.put_identity, int(sys.argv[3])
    def die(*arguments):
        if steps:
            real(*arguments)
        os._exit(9)
    store.put_identity = die
    open_file(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("steps", ["0", "1"])
def test_a_kill_at_the_first_start_leaves_a_folder_that_can_be_used(
    folder: Path, steps: str
) -> None:
    code = textwrap.dedent(FIRST_START)
    arguments = [sys.executable, "-c", code, str(folder), str(HERE), steps]
    assert subprocess.run(arguments, timeout=60, check=False).returncode == 9
    file = open_file(folder)
    assert file.load() == RecoveredState(file.incarnation)
    file.close()


# ---- damage


def change_entry(folder: Path, csn: int, change: Any) -> None:
    environment = lmdb.open(str(folder), max_dbs=8, lib_version=1)
    entries = environment.open_db(b"entries", create=False)
    with environment.begin(write=True) as transaction:
        key = csn.to_bytes(8, "big")
        transaction.put(key, change(transaction.get(key, db=entries)), db=entries)
    environment.close()


def flipped(record: bytes) -> bytes:
    middle = len(record) // 2
    return record[:middle] + bytes([record[middle] ^ 1]) + record[middle + 1 :]


@pytest.mark.parametrize("change", [flipped, lambda _: b"", lambda record: record[:-1]])
def test_a_damaged_entry_is_found_where_it_is_read(folder: Path, change: Any) -> None:
    file = open_file(folder)
    file.write([AppendEntries(entries_of(["1.0", "1.1", "1.2"]))])
    file.close()
    change_entry(folder, c("1.1"), change)
    file = open_file(folder, recent_bytes=1)
    assert file.load().tail_csn == c("1.2")
    assert len(file.read_entries(c("1.1"), CSN_MAX, 1 << 20)) == 1
    with pytest.raises(EntryDamaged, match=r"1\.1"):
        file.read_entries(0, CSN_MAX, 1 << 20)
    file.close()
    file = open_file(folder)
    with pytest.raises(EntryDamaged):
        file.load()
    file.close()


def test_an_entry_in_another_place_is_found(folder: Path) -> None:
    file = open_file(folder)
    file.write([AppendEntries(entries_of(["1.0", "1.1", "1.2"]))])
    file.close()
    records: list[bytes] = []
    change_entry(folder, c("1.0"), lambda record: records.append(record) or record)
    change_entry(folder, c("1.1"), lambda _: records[0])
    file = open_file(folder)
    with pytest.raises(EntryDamaged, match=r"1\.0 stands at 1\.1"):
        file.load()
    file.close()


def test_a_member_list_that_is_missing_is_found(folder: Path) -> None:
    file = open_file(folder)
    file.write([AppendEntries([entry(c("1.0"), 0, lists=members("abw"))])])
    file.close()
    environment = lmdb.open(str(folder), max_dbs=8, lib_version=1)
    with environment.begin(write=True) as transaction:
        entries = environment.open_db(b"entries", txn=transaction)
        transaction.delete(c("1.0").to_bytes(8, "big"), db=entries)
    environment.close()
    file = open_file(folder)
    with pytest.raises(EntryDamaged, match=r"1\.0 is missing"):
        file.load()
    file.close()


def test_entries_are_never_overwritten(folder: Path) -> None:
    file = open_file(folder)
    file.write([AppendEntries(entries_of(["1.0", "1.1"]))])
    with pytest.raises(InvariantViolation):
        file.write([SetSettled(c("1.1")), AppendEntries(entries_of(["1.1"], "1.0"))])
    assert file.load().settled_csn == 0
    assert file.load().tail_csn == c("1.1")
    file.close()


# ---- growth, full disks, failed syncs


def test_a_small_map_grows_by_itself(folder: Path) -> None:
    file = open_file(folder, map_bytes=200_000)
    model = DurableState(file.incarnation)
    tail = 0
    for _ in range(10):
        made = [entry(c("1.0"), 0)] if not tail else []
        tail = tail or c("1.0")
        made += [entry(tail + n, tail + n - 1, size=1_000) for n in range(1, 101)]
        tail += 100
        file.write([AppendEntries(made)])
        model.apply([AppendEntries(made)])
    assert file.log_bytes() > 1_000_000
    assert_same(file.load(), model.recover())
    file.close()
    file = open_file(folder, map_bytes=200_000)
    assert_same(file.load(), model.recover())
    file.write([AppendEntries([entry(tail + 1, tail, size=300_000)])])
    assert file.load().tail_csn == tail + 1
    file.close()


def test_trimmed_pages_are_used_again(folder: Path) -> None:
    file = open_file(folder)
    tail = c("1.0")
    file.write([AppendEntries([entry(tail, 0)])])
    sizes: list[int] = []
    for _ in range(30):
        file.write(
            [AppendEntries([entry(tail + n, tail + n - 1, size=2_000) for n in range(1, 51)])]
        )
        tail += 50
        file.write([SetBase(Base(csn=tail - 20))])
        sizes.append((folder / "data.mdb").stat().st_size)
    assert file.log_bytes() < 500_000
    assert sizes[-1] == sizes[9]
    file.close()


FULL_DISK = """
    import resource, signal, sys
    sys.path.insert(0, sys.argv[2])
    from pathlib import Path
    from journal_support import c, entry, open_file
    from trilithon.disk import DiskFull
    from trilithon.journal.operations import AppendEntries, SetSettled
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = open_file(Path(sys.argv[1]))
    file.write([AppendEntries([entry(c("1.0"), 0)])])
    size = (Path(sys.argv[1]) / "data.mdb").stat().st_size
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, hard))
    many = [entry(c("1.0") + n, c("1.0") + n - 1, size=1000) for n in range(1, 2000)]
    for _ in range(2):
        try:
            file.write([SetSettled(c("1.0")), AppendEntries(many)])
        except DiskFull:
            print("full")
    assert file.load().tail_csn == c("1.0") and file.load().settled_csn == 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    file.write([AppendEntries(many)])
    file.close()
    assert open_file(Path(sys.argv[1])).load().tail_csn == c("1.1999")
    print("whole")
"""


def test_a_full_disk_writes_nothing(folder: Path) -> None:
    """File size limits make the very same failures as a full disk, and need no privileges."""
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(folder), str(HERE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.stdout.split() == ["full", "full", "whole"], child.stderr


class FailingEnvironment:
    """Fails at the end of each write, as a sync does."""

    def __init__(self, real: lmdb.Environment, error: Exception) -> None:
        self._real = real
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @contextmanager
    def begin(self, write: bool = False) -> Iterator[Any]:
        with self._real.begin(write=write) as transaction:
            yield transaction
            if write:
                raise self._error


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (lmdb.Error("mdb_txn_commit: Input/output error"), lmdb.Error),
        (OSError(5, "Input/output error"), OSError),
        (OSError(28, "No space left on device"), DiskFull),
        (OSError(122, "Disk quota exceeded"), DiskFull),
    ],
)
def test_a_failed_sync_is_told(
    folder: Path, error: Exception, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = open_file(folder)
    file.write([AppendEntries(entries_of(["1.0"]))])
    real = file._environment
    monkeypatch.setattr(file, "_environment", FailingEnvironment(real, error))
    with pytest.raises(raised):
        file.write([AppendEntries(entries_of(["1.1"], "1.0"))])
    monkeypatch.setattr(file, "_environment", real)
    assert file.load().tail_csn == c("1.0")
    file.close()


# ---- kills


def run_until_killed(folder: Path, source: random.Random) -> list[list[str]]:
    arguments = [sys.executable, str(HERE / "journal_child.py"), str(folder)]
    child = subprocess.Popen(
        [*arguments, str(source.getrandbits(30))], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    lines: list[str] = []
    try:
        for _ in range(source.randint(1, 120)):
            lines.append(child.stdout.readline())
    finally:
        child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    child.wait(timeout=30)
    return [line.split() for line in lines if line.endswith("\n")]


def test_kills_lose_nothing_that_was_durable(folder: Path) -> None:
    source = random.Random(3)
    for _ in range(4):
        lines = run_until_killed(folder, source)
        file = open_file(folder)
        state = file.load()
        # The last write may be there or not; everything before it is.
        durable = [line for line in lines if line[0] == "durable"]
        possible = [line[1:] for line in [*durable[-1:], *lines[-1:]]]
        if durable:
            assert [str(state.tail_csn), str(state.promised_epoch)] in possible
        assert state.settled_csn == state.tail_csn
        assert_whole(file, state)
        file.close()


def assert_whole(file: LogFile, state: RecoveredState) -> None:
    entries = file.read_entries(0, CSN_MAX, 1 << 30)
    previous = 0
    for one in entries:
        assert one.previous_csn == previous
        previous = one.csn
    assert previous == state.tail_csn
    model = DurableState(b"")
    model.apply([AppendEntries(entries)])
    assert model.recover().spans == state.spans


def test_the_identity_is_json_for_people(folder: Path) -> None:
    open_file(folder).close()
    environment = lmdb.open(str(folder), max_dbs=8, lib_version=1)
    with environment.begin() as transaction:
        meta = environment.open_db(b"meta", txn=transaction, create=False)
        identity = json.loads(transaction.get(b"identity", db=meta))
    environment.close()
    assert identity["role"] == "journal"
    assert set(identity) == {"role", "format", "cluster", "incarnation"}
