"""Golden conversations: what the client says, what the server answers, message by message."""

from __future__ import annotations

import asyncio
import struct

import pytest
from session_fakes import Cluster
from wire_client import (
    FLUSH,
    SYNC,
    TERMINATE,
    WireClient,
    bind,
    close,
    describe,
    execute,
    message,
    parse,
    query,
    startup,
)

from trilithon.core.errors import SqlError
from trilithon.query.pgwire.listener import Listener

# Each: name → (what is said, what comes back). Lines up to one ReadyForQuery per Sync or Query.
GOLDEN = {
    "select": (
        [query("select 1 as one, 'x', null")],
        """
        RowDescription one:23:0 ?column?:25:0 ?column?:25:0
        DataRow 1 x None
        CommandComplete SELECT 1
        ReadyForQuery I
        """,
    ),
    "nothing": ([query("")], "EmptyQueryResponse / ReadyForQuery I"),
    "only a comment": ([query(" -- hm\n ;;")], "EmptyQueryResponse / ReadyForQuery I"),
    "several statements": (
        [query("insert into t values (1,'a'); select * from t; begin")],
        """
        CommandComplete INSERT 0 1
        RowDescription a:23:0 b:25:0
        DataRow 1 a
        CommandComplete SELECT 1
        CommandComplete BEGIN
        ReadyForQuery T
        """,
    ),
    "an error ends a multi-statement message": (
        [query("select 1; select fail('22012'); select 2")],
        """
        RowDescription ?column?:23:0
        DataRow 1
        CommandComplete SELECT 1
        Error ERROR 22012
        ReadyForQuery I
        """,
    ),
    "a syntax error": ([query("selec 1")], "Error ERROR 42601 / ReadyForQuery I"),
    "warnings": (
        [query("commit")],
        "Notice WARNING 25P01 / CommandComplete COMMIT / ReadyForQuery I",
    ),
    "an error within rows": (
        [query("select fail_late('22012')")],
        """
        RowDescription fail_late:23:0
        DataRow 1
        DataRow 2
        Error ERROR 22012
        ReadyForQuery I
        """,
    ),
    "extended": (
        [parse("select $1::int4, $2"), bind(b"7", None), describe("P"), execute(), SYNC],
        """
        ParseComplete
        BindComplete
        RowDescription ?column?:23:0 ?column?:25:0
        DataRow 7 None
        CommandComplete SELECT 1
        ReadyForQuery I
        """,
    ),
    "binary": (
        [
            parse("select $1::int4, 'x'"),
            bind(struct.pack("!i", -2), formats=(1,), results=(1, 0)),
            describe("P"),
            execute(),
            SYNC,
        ],
        """
        ParseComplete
        BindComplete
        RowDescription ?column?:23:1 ?column?:25:0
        DataRow fffffffe x
        CommandComplete SELECT 1
        ReadyForQuery I
        """,
    ),
    "describe a statement": (
        [parse("insert into t values ($1, $2)", "s"), describe("S", "s"), SYNC],
        "ParseComplete / ParameterDescription 23 25 / NoData / ReadyForQuery I",
    ),
    "describe SHOW": (
        [parse("show timezone"), describe("S"), bind(), execute(), SYNC],
        """
        ParseComplete
        ParameterDescription
        RowDescription TimeZone:25:0
        BindComplete
        DataRow UTC
        CommandComplete SHOW
        ReadyForQuery I
        """,
    ),
    "empty, extended": (
        [parse(""), describe("S"), bind(), execute(), SYNC],
        """
        ParseComplete
        ParameterDescription
        NoData
        BindComplete
        EmptyQueryResponse
        ReadyForQuery I
        """,
    ),
    "portals in parts": (
        [
            query("begin"),
            parse("select series(5)"),
            bind(portal="p"),
            execute("p", 2),
            execute("p", 2),
            execute("p", 2),
            execute("p", 2),
            close("P", "p"),
            execute("p"),
            SYNC,
        ],
        """
        CommandComplete BEGIN
        ReadyForQuery T
        ParseComplete
        BindComplete
        DataRow 1
        DataRow 2
        PortalSuspended
        DataRow 3
        DataRow 4
        PortalSuspended
        DataRow 5
        CommandComplete SELECT 1
        CommandComplete SELECT 0
        CloseComplete
        Error ERROR 34000
        ReadyForQuery E
        """,
    ),
    "skip to Sync": (
        [
            parse("select fail('22012')"),
            bind(),
            execute(),
            parse("select 1", "never"),
            query("select 2"),
            execute("nope"),
            SYNC,
            parse("select 1", "never"),
            SYNC,
        ],
        """
        ParseComplete
        BindComplete
        Error ERROR 22012
        ReadyForQuery I
        ParseComplete
        ReadyForQuery I
        """,
    ),
    "a pipeline is one implicit transaction": (
        [
            parse("insert into t values (1,'a')"),
            bind(),
            execute(),
            parse("select fail('22012')"),
            bind(),
            execute(),
            SYNC,
            query("select * from t"),
        ],
        """
        ParseComplete
        BindComplete
        CommandComplete INSERT 0 1
        ParseComplete
        BindComplete
        Error ERROR 22012
        ReadyForQuery I
        RowDescription a:23:0 b:25:0
        CommandComplete SELECT 0
        ReadyForQuery I
        """,
    ),
    "portals end with their transaction": (
        [
            parse("select series(3)"),
            bind(portal="p"),
            execute("p", 1),
            SYNC,
            execute("p", 1),
            SYNC,
        ],
        """
        ParseComplete
        BindComplete
        DataRow 1
        PortalSuspended
        ReadyForQuery I
        Error ERROR 34000
        ReadyForQuery I
        """,
    ),
    "unknown names": (
        [
            bind(statement="nope"),
            SYNC,
            describe("S", "nope"),
            SYNC,
            describe("P", "nope"),
            SYNC,
            close("S", "nope"),
            SYNC,
        ],
        """
        Error ERROR 26000
        ReadyForQuery I
        Error ERROR 26000
        ReadyForQuery I
        Error ERROR 34000
        ReadyForQuery I
        CloseComplete
        ReadyForQuery I
        """,
    ),
    "names that exist": (
        [
            parse("select 1", "s"),
            parse("select 1", "s"),
            SYNC,
            query("begin"),
            bind(statement="s", portal="p"),
            bind(statement="s", portal="p"),
            SYNC,
            query("rollback"),
        ],
        """
        ParseComplete
        Error ERROR 42P05
        ReadyForQuery I
        CommandComplete BEGIN
        ReadyForQuery T
        BindComplete
        Error ERROR 42P03
        ReadyForQuery E
        CommandComplete ROLLBACK
        ReadyForQuery I
        """,
    ),
    "wrong counts": (
        [
            parse("select $1", "s"),
            SYNC,
            bind(statement="s"),
            SYNC,
            bind(b"a", b"b", statement="s"),
            SYNC,
            bind(b"a", statement="s", formats=(0, 0)),
            SYNC,
            bind(b"a", statement="s", results=(0, 0)),
            SYNC,
            bind(b"a", statement="s", formats=(7,)),
            SYNC,
        ],
        """
        ParseComplete
        ReadyForQuery I
        Error ERROR 08P01
        ReadyForQuery I
        Error ERROR 08P01
        ReadyForQuery I
        Error ERROR 08P01
        ReadyForQuery I
        Error ERROR 08P01
        ReadyForQuery I
        Error ERROR 22023
        ReadyForQuery I
        """,
    ),
    "bad values": (
        [
            parse("select $1::int4", "s"),
            SYNC,
            bind(b"x", statement="s"),
            SYNC,
            bind(b"1\x00", statement="s"),
            SYNC,
            bind(b"\xff", statement="s"),
            SYNC,
            bind(b"123", statement="s", formats=(1,)),
            SYNC,
        ],
        """
        ParseComplete
        ReadyForQuery I
        Error ERROR 22P02
        ReadyForQuery I
        Error ERROR 22021
        ReadyForQuery I
        Error ERROR 22021
        ReadyForQuery I
        Error ERROR 22P03
        ReadyForQuery I
        """,
    ),
    "several commands in Parse": (
        [parse("select 1; select 2"), SYNC],
        "Error ERROR 42601 / ReadyForQuery I",
    ),
    "in a failed block": (
        [
            query("begin; select fail('22012')"),
            parse("select 1"),
            SYNC,
            parse("rollback"),
            bind(),
            execute(),
            SYNC,
        ],
        """
        CommandComplete BEGIN
        Error ERROR 22012
        ReadyForQuery E
        Error ERROR 25P02
        ReadyForQuery E
        ParseComplete
        BindComplete
        CommandComplete ROLLBACK
        ReadyForQuery I
        """,
    ),
    "copy in": (
        [
            query("copy t from stdin"),
            message("d", b"1\tone\n2\t\\"),
            message("d", b"N\n3\tt\\thr\\\\ee\n\\.\n"),
            message("c"),
            query("select * from t"),
        ],
        """
        CopyInResponse
        CommandComplete COPY 3
        ReadyForQuery I
        RowDescription a:23:0 b:25:0
        DataRow 1 one
        DataRow 2 None
        DataRow 3 t\thr\\ee
        CommandComplete SELECT 3
        ReadyForQuery I
        """,
    ),
    "copy in fails": (
        [
            query("copy t from stdin"),
            message("d", b"x\tone\n"),
            message("d", b"2\ttwo\n"),
            message("c"),
            query("select * from t"),
        ],
        """
        CopyInResponse
        Error ERROR 22P02
        ReadyForQuery I
        RowDescription a:23:0 b:25:0
        CommandComplete SELECT 0
        ReadyForQuery I
        """,
    ),
    "copy in given up": (
        [query("copy t from stdin"), message("d", b"1\tone\n"), message("f", b"tired\0")],
        "CopyInResponse / Error ERROR 57014 / ReadyForQuery I",
    ),
    "something else within copy": (
        [query("copy t from stdin"), query("select 1")],
        "CopyInResponse / Error FATAL 08P01 / end",
    ),
    "copy in, extended": (
        [
            parse("copy t from stdin with (format csv, header)"),
            bind(),
            describe("P"),
            execute(),
            message("d", b'a,b\n1,"x ""y"", z"\n2,\n'),
            message("c"),
            SYNC,
            query("select * from t"),
        ],
        """
        ParseComplete
        BindComplete
        NoData
        CopyInResponse
        CommandComplete COPY 2
        ReadyForQuery I
        RowDescription a:23:0 b:25:0
        DataRow 1 x "y", z
        DataRow 2 None
        CommandComplete SELECT 2
        ReadyForQuery I
        """,
    ),
    "copy out": (
        [query("insert into t values (1, 'a'), (2, null)"), query("copy t (b, a) to stdout")],
        r"""
        CommandComplete INSERT 0 2
        ReadyForQuery I
        CopyOutResponse
        CopyData b'a\t1\n'
        CopyData b'\\N\t2\n'
        CopyDone
        CommandComplete COPY 2
        ReadyForQuery I
        """,
    ),
    "copy a query out as csv": (
        [query("copy (select 'a,b' as x, 1 as y) to stdout with csv header")],
        """
        CopyOutResponse
        CopyData b'x,y\\n'
        CopyData b'"a,b",1\\n'
        CopyDone
        CommandComplete COPY 1
        ReadyForQuery I
        """,
    ),
    "copy messages out of place are ignored": (
        [message("d", b"x"), message("c"), message("f", b"\0"), query("select 1")],
        "RowDescription ?column?:23:0 / DataRow 1 / CommandComplete SELECT 1 / ReadyForQuery I",
    ),
    "function call": (
        [message("F", b"\0\0\0\1\0\0\0\0\0\0")],
        "Error ERROR 0A000 / ReadyForQuery I",
    ),
    "a malformed message inside good framing": (
        [message("P", b"no end"), SYNC, message("Q", b"no end"), message("B", b"\0\0\0"), SYNC],
        """
        Error ERROR 08P01
        ReadyForQuery I
        Error ERROR 08P01
        ReadyForQuery I
        Error ERROR 08P01
        ReadyForQuery I
        """,
    ),
    "invalid utf-8": (
        [message("Q", b"select '\xff'\0"), query("select 1")],
        """
        Error ERROR 22021
        ReadyForQuery I
        RowDescription ?column?:23:0
        DataRow 1
        CommandComplete SELECT 1
        ReadyForQuery I
        """,
    ),
    "sql prepare shares names with the protocol": (
        [
            query("prepare p(int) as select $1"),
            bind(b"4", statement="p"),
            execute(),
            SYNC,
            parse("execute p(5)"),
            describe("S"),
            bind(),
            execute(),
            SYNC,
        ],
        """
        CommandComplete PREPARE
        ReadyForQuery I
        BindComplete
        DataRow 4
        CommandComplete SELECT 1
        ReadyForQuery I
        ParseComplete
        ParameterDescription
        RowDescription ?column?:23:0
        BindComplete
        DataRow 5
        CommandComplete SELECT 1
        ReadyForQuery I
        """,
    ),
}


def lines_of(text: str) -> list[str]:
    parts = text.split(" / ") if "\n" not in text.strip() else text.strip("\n").split("\n")
    return [line.strip() for line in parts if line.strip()]


@pytest.mark.parametrize("piece", [0, 1, 7])
@pytest.mark.parametrize("name", GOLDEN)
async def test_golden(listener: Listener, name: str, piece: int) -> None:
    """Whole, byte by byte, and in pieces of seven bytes: the answers are the same."""
    said, expected = GOLDEN[name]
    client = await WireClient.connect(listener)
    data = b"".join(said)
    if piece == 0:
        client.send(data)
    else:
        for start in range(0, len(data), piece):
            client.send(data[start : start + piece])
            await client.writer.drain()
            await asyncio.sleep(0)
    wanted = lines_of(expected)
    got: list[str] = []
    while len(got) < len(wanted):
        part = await client.until_ready()
        got += part
        if part[-1] == "end":
            break
    assert got == wanted
    if got[-1] != "end":
        client.send(TERMINATE)
        assert await client.rest() == []


async def test_error_fields(listener: Listener) -> None:
    client = await WireClient.connect(listener)
    await client.say(query("insert into t values (23505, 'x')"))
    assert client.last_error == {
        "S": "ERROR",
        "V": "ERROR",
        "C": "23505",
        "M": "duplicate key value violates unique constraint",
        "D": "Key (a)=(23505) already exists.",
        "s": "public",
        "t": "t",
        "n": "t_pkey",
    }
    await client.say(query("select * from nope"))
    assert client.last_error["P"] == "15"
    await client.say(query("copy t from stdin"), message("d", b"1\ta\nx\tb\n"), message("c"))
    assert client.last_error["W"] == "COPY t, line 2"


async def test_startup_says_what_drivers_ask_for(listener: Listener) -> None:
    client = await WireClient.connect(
        listener, application_name="test", options="-c statement_timeout=5s --geqo=off"
    )
    assert client.parameters["server_version"].startswith("16.")
    assert client.parameters["client_encoding"] == "UTF8"
    assert client.parameters["integer_datetimes"] == "on"
    assert client.parameters["application_name"] == "test"
    assert client.parameters["DateStyle"] == "ISO, MDY"
    assert len(client.key[1]) == 4
    assert "DataRow 5s" in await client.say(query("show statement_timeout"))
    await client.say(query("set timezone = 'Europe/Berlin'"))
    assert client.parameters["TimeZone"] == "Europe/Berlin"
    await client.say(query("begin; set local timezone = 'Asia/Tokyo'"))
    assert client.parameters["TimeZone"] == "Asia/Tokyo"
    await client.say(query("rollback"))
    assert client.parameters["TimeZone"] == "Europe/Berlin"


async def test_a_commit_is_told_before_its_command_completes(
    listener: Listener, cluster: Cluster
) -> None:
    client = await WireClient.connect(listener)
    cluster.commit_error = SqlError("40001", "conflict")
    assert await client.say(parse("insert into t values (1,'a')"), bind(), execute(), SYNC) == [
        "ParseComplete",
        "BindComplete",
        "Error ERROR 40001",
        "ReadyForQuery I",
    ]


async def test_flush_shows_what_is_there(listener: Listener) -> None:
    client = await WireClient.connect(listener)
    client.send(parse("select series(2)"), bind(), execute(), FLUSH)
    assert [(await client.receive())[0] for _ in range(5)] == ["1", "2", "D", "D", "C"]
    assert await client.say(SYNC) == ["ReadyForQuery I"]


async def test_a_new_protocol_version_is_negotiated_down(listener: Listener) -> None:
    client = await WireClient.open(listener)
    client.send(startup(196610, **{"_pq_.new": "1"}))
    lines = await client.until_ready()
    assert lines[0] == "NegotiateProtocolVersion"
    assert lines[-1] == "ReadyForQuery I"


async def test_ssl_and_gss_are_declined(listener: Listener) -> None:
    client = await WireClient.open(listener)
    client.send(struct.pack("!ii", 8, 80877104))
    assert await client.reader.readexactly(1) == b"N"
    client.send(struct.pack("!ii", 8, 80877103))
    assert await client.reader.readexactly(1) == b"N"
    client.send(startup())
    assert (await client.until_ready())[-1] == "ReadyForQuery I"


@pytest.mark.parametrize(
    ("options", "sqlstate"),
    [
        ({"user": ""}, "28000"),
        ({"database": "nope"}, "3D000"),
        ({"timezone": "Mars"}, "22023"),
        ({"nonsense": "1"}, "42704"),
        ({"replication": "true"}, "0A000"),
        ({"options": "-X"}, "42601"),
    ],
)
async def test_startup_errors(listener: Listener, options: dict[str, str], sqlstate: str) -> None:
    client = await WireClient.open(listener)
    client.send(startup(**options))
    assert await client.until_ready() == [
        f"Error FATAL {sqlstate}",
        "end",
    ]
    assert listener.session_count == 0
