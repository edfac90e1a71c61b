"""Parsing: positions, bounds, and literals that are lifted only where that is safe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilithon.core.errors import SqlError
from trilithon.query.parse import Parser
from trilithon.query.parse.deparse import bare, statement_text
from trilithon.query.parse.grammar import LENGTH_BYTES_MAX, parse_json
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.shape import shape_of
from trilithon.query.parse.statement import character_position, walk


def constants(sql: str) -> tuple[object, ...]:
    (statement,) = Parser().parse(sql)
    return tuple(sorted(statement.constants, key=str))


def test_a_syntax_error_has_its_position_in_characters() -> None:
    with pytest.raises(SqlError) as caught:
        Parser().parse("select 'é', x yy zz")
    assert (caught.value.sqlstate, caught.value.position) == ("42601", 18)


def test_node_locations_count_bytes_and_positions_characters() -> None:
    assert character_position("select 'é', x", 13) == 13
    assert character_position("select 1", 7) == 8
    assert character_position("select 1", -1) == 0


def test_several_statements_keep_their_own_texts() -> None:
    found = Parser().parse("select 'é' ; select 2;")
    assert [statement.text for statement in found] == ["select 'é'", "select 2"]
    assert Parser().parse(" ; ") == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 5", (5,)),
        ("select -5 from t where a = 'x''y'", (-5, "x'y")),
        ("select 3000000000, 1.50", None),
        ("select date '2020-01-01', '1'::int", ()),
        ("select a from t order by 1", ()),
        ("select a + 1 from t group by a + 1", ()),
        ("select distinct 1", ()),
        ("select e'x', u&'y', b'01', $$q$$", ()),
        ("select 1 -- 'no'", ()),
        ("select 1 /* 2 */", ()),
        ("select 'a'\n'b'", ()),
        ("select x::numeric(3,2) from t", ()),
        ("create table t (a int default 5)", ()),
    ],
)
def test_what_is_lifted(sql: str, expected: tuple[object, ...] | None) -> None:
    found = constants(sql)
    if expected is not None:
        assert found == tuple(sorted(expected, key=str))
    else:
        assert [str(value) for value in found] == ["1.50", "3000000000"]


def test_one_shape_one_template() -> None:
    parser = Parser()
    first = parser.parse("select a from t where b = 1 and c = 'x'")[0]
    second = parser.parse("select a from t where b = 22 and c = 'it''s'")[0]
    other = parser.parse("select a from t where b = 22.5 and c = 'y'")[0]
    assert first.template is second.template
    assert sorted(second.constants, key=str) == [22, "it's"]
    assert other.template is not first.template


@given(st.text(alphabet="abe'\"$-/*.0129 x(),;\n\\é=", max_size=30))
def test_a_shape_covers_its_text(text: str) -> None:
    """Prefixes and literals interleaved are the text itself."""
    found = shape_of("select " + text)
    if found is None:
        return
    shape, literals = found
    prefixes = shape[: len(shape) - len(literals)]
    joined = "".join(
        prefix + (literals[at] if at < len(literals) else "") for at, prefix in enumerate(prefixes)
    )
    assert joined == "select " + text


@given(st.lists(st.sampled_from(["1", "-2", "'a'", "1.5", "a", "'b''c'", "x.y"]), min_size=1))
def test_lifted_literals_are_the_statements_own(items: list[str]) -> None:
    """What stays in the tree and what was lifted are together what the plain tree has."""
    sql = "select " + ", ".join(items)
    (lifted,) = Parser().parse(sql)
    (plain,) = parse_plain(sql)
    count = sum(key == "A_Const" for key, _ in walk(plain.node))
    left = sum(key == "A_Const" for key, _ in walk(lifted.node))
    assert left + len(lifted.constants) == count


def test_create_index_async_keeps_its_length() -> None:
    (statement,) = parse_plain("create unique index async i on t (a)")
    assert statement.body["asynchronous"] is True
    (plain,) = parse_plain("create index i on t (a)")
    assert "asynchronous" not in plain.body


def test_bounds() -> None:
    with pytest.raises(SqlError) as caught:
        parse_json("select '" + "x" * LENGTH_BYTES_MAX + "'")
    assert caught.value.sqlstate == "54000"
    with pytest.raises(SqlError) as caught:
        parse_json("select 1" + "+1" * 100_000)
    assert caught.value.sqlstate == "54001"
    with pytest.raises(SqlError) as caught:
        parse_json("select " + "(" * 20_000 + "1" + ")" * 20_000)
    assert caught.value.sqlstate == "54001"
    with pytest.raises(SqlError) as caught:
        parse_json("select '\x00'")
    assert caught.value.sqlstate == "22021"
    with pytest.raises(SqlError) as caught:
        parse_json("select '\ud800'")
    assert caught.value.sqlstate == "22021"


@pytest.mark.parametrize(
    "text",
    [
        "(CASE WHEN a THEN b END)[1:2]",
        "(a IS NOT DISTINCT FROM 3) IS UNKNOWN",
        "(a BETWEEN SYMMETRIC 1 AND 2) BETWEEN b AND c",
        "(a = 1) IN (true, false)",
        "(NOT a) IS NULL",
        "NOT a IS NULL",
        "(a < b) = ANY (SELECT c)",
        "a BETWEEN (b AND c) AND d",
        "((NOT a) IS NULL) IN (b, (NOT c) IS NULL)",
        "- (2 ^ 2) + (-2) ^ 2",
    ],
)
def test_what_is_written_again_means_the_same(text: str) -> None:
    node = parse_json("SELECT " + text)[0]["stmt"]
    again = parse_json(statement_text(node))[0]["stmt"]
    assert statement_text(again) == statement_text(node)
    assert bare(again) == bare(node)
