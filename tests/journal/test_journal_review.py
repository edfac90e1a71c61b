"""What a second reading of the journal found: each a short scenario."""

from __future__ import annotations

import random
from pathlib import Path

import lmdb
import pytest
from journal_support import c, entries_of, entry, members

from trilithon.disk import LMDB_VERSION
from trilithon.journal.operations import AppendEntries
from trilithon.journal.quorum import Members
from trilithon.journal.store import EntryDamaged, LogFile


def test_a_closed_change_stays_closed_when_what_came_before_is_trimmed() -> None:
    lists = Members(
        [
            entry(c("1.0"), 0, lists=members("abw")),
            entry(c("1.1"), c("1.0"), lists=members("abw", "acw")),
            entry(c("1.2"), c("1.1"), lists=members("acw")),
        ]
    )
    assert len(lists.groups(c("1.1"))) == 2
    lists.trim(c("1.2"))
    assert len(lists.groups(c("1.2"))) == 1


def open_log(path: Path) -> LogFile:
    return LogFile(path, cluster="test", source=random.Random(1), recent_bytes=30)


def test_a_hole_in_the_log_is_found_when_the_journal_starts(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.write([AppendEntries(entries_of(["1.0", "1.1", "1.2", "1.3", "1.4"]))])
    log.close()
    environment = lmdb.open(str(tmp_path), max_dbs=8, lib_version=LMDB_VERSION)
    database = environment.open_db(b"entries")
    with environment.begin(write=True, db=database) as transaction:
        assert transaction.delete(c("1.2").to_bytes(8, "big"))
    environment.close()
    log = open_log(tmp_path)
    with pytest.raises(EntryDamaged, match="4 entries where 5 belong"):
        log.load()
    log.close()
