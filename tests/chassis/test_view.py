"""What `trilithon status` shows, at every width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from trilithon.cli.status import ClusterStatus, ProcessStatus
from trilithon.cli.view import status_table

CSN = (24 << 40) + 5_678_901


@pytest.mark.parametrize("width", [80, 100, 139, 140, 160, 200])
def test_nothing_is_cut(width: int) -> None:
    journal = ProcessStatus(
        "a", "journal", "a/adjudicator-0", "127.0.0.1:65432", pid=123_456, state="up", epoch=123,
        lease_ms=1_410, last_csn=5, settled_csn=5, note="why it limps",
    )  # fmt: skip
    query = ProcessStatus(
        "a", "query", "a/query-0", "127.0.0.1:54321", pid=123_457, state="up", sessions=3,
        commits=1_000, conflicts=7,
    )  # fmt: skip
    storage = ProcessStatus(
        "a", "storage", "a/storage-0", "127.0.0.1:44444", pid=9, last_csn=CSN, settled_csn=CSN,
    )  # fmt: skip
    shown = io.StringIO()
    status = ClusterStatus("c", "a/adjudicator-0", {}, [journal, query, storage])
    Console(file=shown, width=width).print(status_table(status, width))
    text = shown.getvalue()
    assert "…" not in text
    for word in (
        *("a/adjudicator-0", "123456", "127.0.0.1:65432", "1410 ms", "why it limps", "123"),
        *("127.0.0.1:54321", "3 sessions, 1000 commits, 7 conflicts", "24.5678901", "down"),
    ):
        assert word in text, text
    assert max(map(len, text.splitlines())) <= width
