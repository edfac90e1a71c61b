"""Bytes that are no PostgreSQL, at the PostgreSQL port of a real cluster. A session whose framing is
intact lives on with a clear SQLSTATE; one whose framing broke is told so and ended."""

from __future__ import annotations

import random
import socket
import struct

import pytest
from badinput_support import (
    ANSWER_S,
    EXECUTE,
    SYNC,
    Wire,
    bind,
    message,
    parse,
    query,
    startup,
)
from harness import Cluster

MEGABYTE = 1 << 20


@pytest.fixture
def address(watched: Cluster) -> str:
    return watched.endpoints["a"]["postgresql"]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        struct.pack("!i", -1),
        struct.pack("!i", 0) * 4,
        struct.pack("!i", 0x7FFFFFFF) + b"x" * 100_000,
        startup(version=2 << 16),
        startup()[:-1] + b"x",
        struct.pack("!ii", 9, 3 << 16) + b"\xff",
        startup(user="\0"),
        startup(database="nowhere"),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_before_the_session_starts(address: str, data: bytes) -> None:
    with Wire(address, start=False) as wire:
        [error, end] = wire.errors(data)
        assert error.startswith("FATAL ")
        assert error != "FATAL XX000"
        assert end == "end"


@pytest.mark.parametrize(
    "data",
    [
        b"!\0\0\0\4",
        b"\0" * 10,
        message("Q", b"select 1\0")[:1] + struct.pack("!i", 3),
        b"Q" + struct.pack("!i", -1),
        b"Q" + struct.pack("!i", 0x7FFFFFFF),
        b"Q" + struct.pack("!i", 17 * MEGABYTE) + b"x" * 17 * MEGABYTE,
        message("p", b"password\0"),
    ],
    ids=lambda data: repr(data[:8]),
)
def test_broken_framing_ends_the_session(address: str, data: bytes) -> None:
    with Wire(address) as wire:
        assert wire.errors(data) == ["FATAL 08P01", "end"]


@pytest.mark.parametrize(
    ("parts", "sqlstate"),
    [
        ([message("Q", b"select 1")], "08P01"),
        ([query(b"select '\xff'")], "22021"),
        ([query(b"select '\xc3\x28'")], "22021"),
        ([query(b"select 1\0select 2")], "08P01"),
        ([message("P", b"")], "08P01"),
        ([message("P", b"a\0select 1\0\xff\xff")], "08P01"),
        ([parse(b"select $1", oids=(4_000_000_000,)), bind(b"x"), EXECUTE], None),
        ([parse(b"select \xff")], "22021"),
        ([parse(b"select 1; select 2")], "42601"),
        ([parse(b"selekt")], "42601"),
        ([bind(statement=b"nobody")], "26000"),
        ([parse(b"select 1"), bind(b"1", b"2")], "08P01"),
        ([parse(b"select $1::int"), bind()], "08P01"),
        ([parse(b"select $1::int"), bind(b"seven"), EXECUTE], "22P02"),
        ([parse(b"select $1::int"), bind(b"99999999999"), EXECUTE], "22003"),
        ([parse(b"select $1::int"), bind(b"12345", code=1), EXECUTE], "22P03"),
        ([parse(b"select $1::int"), bind(b"", code=1), EXECUTE], "22P03"),
        ([parse(b"select $1::text"), bind(b"\xff", code=1), EXECUTE], "22021"),
        ([parse(b"select $1::text"), bind(b"a\0b", code=1), EXECUTE], "22021"),
        ([parse(b"select $1::uuid"), bind(b"short", code=1), EXECUTE], "22P03"),
        ([parse(b"select $1::numeric"), bind(b"\xff" * 9, code=1), EXECUTE], "22P03"),
        ([parse(b"select $1::timestamptz"), bind(b"yesteryear"), EXECUTE], "22007"),
        ([parse(b"select $1::int[]"), bind(b"\xff" * 20, code=1), EXECUTE], "54000"),
        ([parse(b"select $1::int[]"), bind(b"\0" * 11, code=1), EXECUTE], "08P01"),
        ([parse(b"select $1::int"), bind(b"1", code=7), EXECUTE], "22023"),
        ([message("B", b"\0\0" + b"\xff" * 50)], "08P01"),
        ([message("E", b"nobody\0" + struct.pack("!i", 0))], "34000"),
        ([message("D", b"Xwhat\0")], "08P01"),
        ([message("D", b"")], "08P01"),
        ([message("C", b"?\0")], "08P01"),
        ([message("F", b"\0\0\0\1" + b"\0" * 8)], None),
    ],
)
def test_a_bad_message_is_one_error(address: str, parts: list[bytes], sqlstate: str | None) -> None:
    with Wire(address) as wire:
        [error] = wire.errors(*parts, SYNC) if parts[0][:1] not in b"QF" else wire.errors(*parts)
        severity, code = error.split()
        assert severity == "ERROR"
        assert code == (sqlstate or code)
        assert code != "XX000"
        assert wire.say(query("select 1"))[-2:] == ["C", "Z"]


def test_a_statement_of_megabytes_is_refused_and_one_below_the_bound_works(address: str) -> None:
    with Wire(address) as wire:
        assert wire.errors(query(b"select length('" + b"x" * 8 * MEGABYTE + b"')")) == [
            "ERROR 54000"
        ]
        assert wire.errors(query(b"select length('" + b"x" * 3 * MEGABYTE + b"')")) == []
        # Values do not count as text: they travel as parameters.
        assert (
            wire.errors(parse(b"select length($1)"), bind(b"x" * 8 * MEGABYTE), EXECUTE, SYNC) == []
        )


def test_as_many_parameters_as_the_protocol_can_count(address: str) -> None:
    with Wire(address) as wire:
        most = 65_535
        many = parse(b"select $65535::text", oids=(25,) * most)
        assert wire.errors(many, bind(*[b"x"] * most), EXECUTE, SYNC) == []
        numbers = b",".join(b"$%d" % number for number in range(1, 5_001))
        wide = parse(b"select 1 where 'y' not in (" + numbers + b")")
        assert wire.errors(wide, bind(*[b"x"] * 5_000), EXECUTE, SYNC) == []
        nested = b"+".join(b"length($%d)" % number for number in range(1, 5_001))
        assert wire.errors(parse(b"select " + nested), SYNC) == ["ERROR 54001"]
        for number in (65_536, 2**31, 2**64, 0):
            [error] = wire.errors(parse(b"select $%d::int" % number), SYNC)
            assert error in ("ERROR 42P02", "ERROR 42601", "ERROR 54000", "ERROR 54023"), number
        assert wire.say(query("select 1"))[-2:] == ["C", "Z"]


def test_half_open_connections(address: str) -> None:
    """Many that say nothing, or half a word, and stay: others connect and work meanwhile."""
    host, _, port = address.rpartition(":")
    silent = []
    try:
        for number in range(300):
            one = socket.create_connection((host, int(port)), timeout=ANSWER_S)
            one.sendall(startup()[: number % 20])
            silent.append(one)
        with Wire(address) as wire:
            assert wire.errors(query("select 1")) == []
    finally:
        for one in silent:
            one.close()


def test_sessions_that_vanish_in_the_middle(address: str) -> None:
    conversations = [
        [query("begin; insert into bystanders values ('ghost', 1)"), b"Q\0\0"],
        [query("copy bystanders from stdin"), message("d", b"ghost\t1\n")],
        [parse(b"insert into bystanders values ('ghost', 1)"), bind(), b"E\0\0\0"],
        [query("select count(*) from generate_series(1, 9999999)")],
        [query("select * from generate_series(1, 3000000)")],
    ]
    for parts in conversations:
        for reset in (False, True):
            with Wire(address) as wire:
                wire.socket.sendall(b"".join(parts))
                if reset:
                    linger = struct.pack("ii", 1, 0)
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    with Wire(address) as wire:
        found = wire.say(query("select 1 from bystanders where region = 'ghost'"))
        assert "D" not in found, "nothing of it was committed"


def test_a_client_that_asks_and_never_reads(address: str) -> None:
    with Wire(address) as deaf, Wire(address) as wire:
        deaf.socket.sendall(query("select repeat('x', 1000) from generate_series(1, 1000000)"))
        for _ in range(20):
            assert wire.errors(query("select 1")) == []


def test_cancel_requests_with_wrong_secrets(address: str) -> None:
    source = random.Random(5)
    for size in (0, 1, 4, 8, 256):
        body = struct.pack("!ii", 80877102, source.randrange(100)) + source.randbytes(size)
        with Wire(address, start=False) as wire:
            wire.socket.sendall(struct.pack("!i", len(body) + 4) + body)
            assert wire.read()[-1] == "end"


@pytest.mark.parametrize("seed", range(3))
def test_random_messages(address: str, seed: int) -> None:
    """Whatever comes: an answer or the end, in time, and never an internal error."""
    source = random.Random(seed)
    for _ in range(40):
        with Wire(address) as wire:
            parts = [
                message(
                    chr(source.choice(b"QPBEDCHFdcfSX")), source.randbytes(source.randrange(40))
                )
                for _ in range(source.randrange(1, 9))
            ]
            wire.socket.sendall(b"".join(parts) + SYNC)
            wire.socket.shutdown(socket.SHUT_WR)
            while (seen := wire.read())[-1] != "end":
                assert "ERROR XX000" not in seen
            assert not any(one.endswith("XX000") for one in seen)
