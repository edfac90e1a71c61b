"""COPY's formats: what is written is read back, however it is cut; and PostgreSQL's special cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_fakes import Driver

from trilithon.core.errors import SqlError
from trilithon.query.parse.parser import parse_plain
from trilithon.query.session import copy_format
from trilithon.query.session.copy_options import CopyOptions, parse_options

TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)
SPECIAL = st.text(st.sampled_from('\\\t\n\r,"N.ab|\b'), max_size=8)
FIELD = st.none() | TEXT | SPECIAL


def options_of(clause: str, *, is_from: bool = True) -> CopyOptions:
    direction = "from stdin" if is_from else "to stdout"
    (statement,) = parse_plain(f"copy t {direction} {clause}")
    return parse_options(statement.body.get("options", ()), is_from=is_from)


def read(options: CopyOptions, data: bytes, columns: int, piece: int) -> list[list[object]]:
    reader = copy_format.make_reader(options, columns)
    rows = []
    for start in range(0, len(data), piece):
        rows += reader.feed(data[start : start + piece])
    return rows + reader.finish()


@st.composite
def tables(draw: st.DrawFn) -> list[list[str | None]]:
    columns = draw(st.integers(1, 4))
    return draw(
        st.lists(st.lists(FIELD, min_size=columns, max_size=columns), min_size=1, max_size=6)
    )


@given(
    tables(),
    st.integers(1, 20),
    st.sampled_from(["", "(delimiter '|')", "(null 'NULL', delimiter ',')"]),
)
def test_text_round_trip(rows: list[list[str | None]], piece: int, clause: str) -> None:
    options = options_of(clause)
    if options.null == "NULL":
        # Without escapes a text that equals the NULL string is NULL, as in PostgreSQL.
        rows = [[None if field == "NULL" else field for field in row] for row in rows]
    data = b"".join(copy_format.write_text(row, options) for row in rows)
    assert read(options, data, len(rows[0]), piece) == rows


@given(
    tables(),
    st.integers(1, 20),
    st.sampled_from(
        ["csv", "(format csv, quote '''')", "(format csv, delimiter '|', null 'N', escape '\\')"]
    ),
)
def test_csv_round_trip(rows: list[list[str | None]], piece: int, clause: str) -> None:
    options = options_of(clause)
    forced = [False] * len(rows[0])
    data = b"".join(copy_format.write_csv(row, options, forced) for row in rows)
    assert read(options, data, len(rows[0]), piece) == rows


@given(
    st.lists(st.lists(st.none() | st.binary(max_size=9), min_size=2, max_size=2), max_size=5),
    st.integers(1, 9),
)
def test_binary_round_trip(rows: list[list[bytes | None]], piece: int) -> None:
    data = copy_format.BINARY_HEADER
    data += b"".join(copy_format.write_binary(row) for row in rows) + copy_format.BINARY_TRAILER
    assert read(options_of("binary"), data, 2, piece) == rows


@given(st.binary(max_size=80), st.integers(1, 20), st.sampled_from(["", "csv", "binary"]))
def test_any_bytes(data: bytes, piece: int, clause: str) -> None:
    try:
        read(options_of(clause), data, 2, piece)
    except SqlError as error:
        assert error.sqlstate in ("22021", "22P04")


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a\\tb\tc\n", [["a\tb", "c"]]),
        (b"\\101\\x42\\103\n", [["ABC"]]),
        (b"\\q\\\\\n", [["q\\"]]),
        (b"\\N\t\\\\N\n", [[None, "\\N"]]),
        (b"a\\\nb\tc\n", [["a\nb", "c"]]),
        (b"a\r\nb\r\n", [["a"], ["b"]]),
        (b"a\n\\.\nnot read\n", [["a"]]),
        (b"last line", [["last line"]]),
        (b"\n", [[""]]),
        (b"\\xc3\\xa9\n", [["é"]]),
    ],
)
def test_text_cases(data: bytes, rows: list[list[object]]) -> None:
    assert read(options_of(""), data, 1, 1) == rows
    assert read(options_of(""), data, 1, 1000) == rows


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'1,"a ""b""\nc",\n', [["1", 'a "b"\nc', None]]),
        (b'"",,x\n', [["", None, "x"]]),
        (b'pre"quoted"post,1,2\r\n', [["prequotedpost", "1", "2"]]),
        (b"\\.\n1,2,3\n", []),
    ],
)
def test_csv_cases(data: bytes, rows: list[list[object]]) -> None:
    assert read(options_of("csv"), data, 3, 1) == rows
    assert read(options_of("csv"), data, 3, 1000) == rows


def test_unterminated_quotes() -> None:
    with pytest.raises(SqlError, match="unterminated CSV"):
        read(options_of("csv"), b'1,"open\n2\n', 2, 3)


@pytest.mark.parametrize(
    ("clause", "sqlstate"),
    [
        ("(format xml)", "22023"),
        ("(delimiter 'ab')", "0A000"),
        ("(delimiter 'a')", "22023"),
        ("(null E'a\\nb')", "22023"),
        ("(quote '|')", "0A000"),
        ("(format csv, delimiter '\"')", "0A000"),
        ("(format binary, header)", "42601"),
        ("(force_quote (a), format csv)", "0A000"),
        ("(nonsense 1)", "42601"),
        ("(encoding 'latin1')", "0A000"),
        ("(header, header)", "42601"),
        ("(header maybe)", "42601"),
    ],
)
def test_bad_options(clause: str, sqlstate: str) -> None:
    with pytest.raises(SqlError) as caught:
        options_of(clause)
    assert caught.value.sqlstate == sqlstate


async def copy_in(driver: Driver, sql: str, *pieces: bytes) -> object:
    session = driver.session
    session.start_statement()
    try:
        outcome = await session.run(session.engine.parse(sql)[0])
        for piece in pieces:
            await outcome.copy.feed(piece)
        tag = await outcome.copy.finish()
        await session.end_implicit()
    except SqlError as error:
        return session.fail(error)
    return tag


async def test_copy_statements() -> None:
    driver = Driver()
    assert await copy_in(driver, "copy t from stdin", b"1\tone\n2\t", b"\\N\n") == "COPY 2"
    assert await copy_in(driver, "copy t (b) from stdin csv header", b"b\nx\n") == "COPY 1"
    assert driver.cluster.rows == [(1, "one"), (2, None), (None, "x")]
    for sql, data, sqlstate, where in [
        ("copy t from stdin", b"1\n", "22P04", "COPY t, line 1"),
        ("copy t from stdin", b"1\ta\n1\tb\tc\n", "22P04", "COPY t, line 2"),
        ("copy t from stdin", b"1\ta\nx\tb\n", "22P02", "COPY t, line 2"),
        ("copy t from stdin (header match)", b"b\ta\n1\tb\n", "22P04", ""),
        ("copy t from stdin (format csv, force_null (zz))", b"", "42703", ""),
        ("copy nope from stdin", b"", "42P01", ""),
        ("copy t from stdin where a > 1", b"", "0A000", ""),
    ]:
        error = await copy_in(driver, sql, data)
        assert isinstance(error, SqlError), sql
        assert (error.sqlstate, error.where) == (sqlstate, where), sql
        assert driver.state == "IDLE"
    assert len(driver.cluster.rows) == 3
    await driver.simple("begin read only")
    error = await copy_in(driver, "copy t from stdin", b"")
    assert isinstance(error, SqlError)
    assert error.sqlstate == "25006"
