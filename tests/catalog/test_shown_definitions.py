"""What is shown of an expression means what was written: read again it is shown the same, and gives the same
values, for every expression of the differential corpus (which compares the texts with PostgreSQL's)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.compile import compile_scalar
from trilithon.expression.context import EvalContext
from trilithon.query.analyse import coercion, table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.catalog.catalog import Catalog
from trilithon.query.catalog.definitions import Column, Domain, Enum, Table
from trilithon.query.catalog_views.relations import RELATIONS
from trilithon.query.parse.parser import parse_plain
from trilithon.query.shown.definitions import Viewpoint
from trilithon.types import text_io
from trilithon.types.registry import BOOL, INT4, TEXT, TypeRef, lookup_type
from trilithon.types.settings import IoSettings

CORPUS = Path(__file__).parent.parent / "engine" / "corpus" / "shown_expressions.sql"
PUBLIC = 2200
MOOD, POSITIVE, WORD, TABLE = 70001, 70003, 70004, 70010
ROWS = 6


def _catalog() -> Catalog:
    schema = Catalog(0, ()).require_schema("public").id
    mood = Enum(MOOD, schema, "public", "sd_mood", ("sad", "ok", "it's"), (1.0, 2.0, 3.0))
    positive = Domain(POSITIVE, schema, "public", "sd_pos", INT4)
    word = Domain(WORD, schema, "public", "sd_word", TEXT)
    Catalog(0, (mood,))
    line = next(x for x in CORPUS.read_text().splitlines() if x.startswith("create table sd ("))
    columns = []
    for number, part in enumerate(
        re.findall(r'("[^"]+"|\w+) ([\w ]+(?:\([\d,]+\))?(?:\[\])?)', line[17:]), 1
    ):
        columns.append(_column(number, part[0].strip('"'), part[1]))
    table = Table(TABLE, schema, "public", "sd", tuple(columns), 1)
    return Catalog(0, (mood, positive, word, table))


def _column(number: int, name: str, type_text: str) -> Column:
    if type_text == "sd_mood":
        return Column(number, name, TypeRef(MOOD))
    if type_text in ("sd_pos", "sd_word"):
        domain, base = (POSITIVE, INT4) if type_text == "sd_pos" else (WORD, TEXT)
        return Column(number, name, base, domain_id=domain)
    modifiers = [int(x) for x in re.findall(r"\d+", type_text) if "(" in type_text]
    array = type_text.endswith("[]")
    word = re.sub(r"\(.*\)|\[\]", "", type_text)
    word = {"char": "bpchar", "double precision": "float8"}.get(word, word)
    return Column(number, name, lookup_type(word, modifiers, array))


CATALOG = _catalog()
SD = CATALOG.table_by_id(TABLE)
EXPRESSIONS = [
    match[1]
    for match in re.finditer(
        r"^alter table sd add constraint \w+ check \((.*)\)$", CORPUS.read_text(), re.M
    )
]
VALUES: dict[str, Sequence[str | None]] = {
    "N": ("0", "1", "2", "5", "-1", None),
    "S": ("", "a", "abc", "x", "ab", "5", None),
    "B": ("t", "f", None),
    "D": ("2024-01-01", "2024-06-05 10:30", "2000-02-29", None),
    "T": ("1 day", "1-2", "-3 hours", None),
}


class _Settings:
    search_path = ("public",)
    io = IoSettings()
    user = "admin"
    database = "postgres"


def _compiled(sql: str) -> Callable[[Sequence[Any]], Any]:
    assert SD is not None
    statement = parse_plain("SELECT " + sql)[0]
    analysis = Analysis(statement, CATALOG, _Settings(), RELATIONS, [], parameters_fixed=True)
    outputs = [analysis.column(column.name, column.type) for column in SD.columns]
    node = statement.body["targetList"][0]["ResTarget"]["val"]
    bound = table_expressions.analyse_node(analysis, node, SD, outputs)
    bound = coercion.boolean(analysis, bound, "CHECK", None)
    places = {output.id: place for place, output in enumerate(outputs)}

    def placed(one: Any) -> Any:
        return ir.Column(places[one.index], one.type) if isinstance(one, ir.Column) else one

    call = compile_scalar(ir.transform(bound, placed))
    return lambda row: call(row, EvalContext(settings=_Settings.io))


def _value(column: Column, source: random.Random) -> Any:
    from trilithon.types.registry import type_info

    info = type_info(column.type.oid)
    if info.element_oid:
        kinds: Sequence[str | None] = ("{1,2}", "{}", "{5}", None)
    elif column.type.oid == MOOD:
        kinds = ("sad", "ok", None)
    elif info.name in ("json", "jsonb"):
        kinds = ('{"a": 1}', '["x"]', "5", None)
    elif info.name == "bytea":
        kinds = ("\\x00", "\\x0102", None)
    elif info.name == "uuid":
        kinds = ("00000000-0000-0000-0000-000000000000", None)
    elif info.name == "time":
        kinds = ("10:00", "23:59", None)
    elif info.name == "oid":
        kinds = ("5", "7", None)
    else:
        kinds = VALUES[info.category]
    text = source.choice(kinds)
    return None if text is None else text_io.parse(TypeRef(column.type.oid), text, _Settings.io)


def _answers(call: Callable[[Sequence[Any]], Any]) -> list[Any]:
    assert SD is not None
    source = random.Random(7)
    found: list[Any] = []
    for _ in range(ROWS):
        row = [_value(column, source) for column in SD.columns]
        try:
            found.append(call(row))
        except SqlError as error:
            found.append(error.sqlstate)
    return found


@pytest.mark.parametrize("sql", EXPRESSIONS)
def test_what_is_shown_means_what_was_written(sql: str) -> None:
    plain, pretty = Viewpoint(CATALOG), Viewpoint(CATALOG, pretty=True)
    expected = _answers(_compiled(sql))
    for view in (plain, pretty):
        shown = view.expression(sql, SD, BOOL)
        # PostgreSQL, too, needs one more round for a cast of an array of literals.
        again = view.expression(shown, SD, BOOL)
        assert view.expression(again, SD, BOOL) == again
        assert again == shown or "::text[]" in shown
        assert _answers(_compiled(shown)) == expected


def test_the_corpus_is_read() -> None:
    assert len(EXPRESSIONS) > 200


@pytest.mark.parametrize(
    "sql",
    [
        "ts > 'now'",
        "no_such_column > 1",
        "nosuchfunction(a) > 1",
        "count(*) > 1",
        "((",
        "a >",
        "(a, b) is null",
        "(a, b) is distinct from null",
        "row(a, null) is not distinct from null",
    ],
)
def test_what_is_not_known_is_shown_as_it_was_written(sql: str) -> None:
    assert Viewpoint(CATALOG).expression(sql, SD, BOOL) == sql
    assert Viewpoint(CATALOG, pretty=True).expression(sql, SD, None) == sql


def test_names_follow_the_search_path() -> None:
    sql = "m = 'ok' and p::sd_pos > 1"
    assert "'ok'::sd_mood" in Viewpoint(CATALOG).expression(sql, SD, BOOL)
    default = Viewpoint(CATALOG, ("elsewhere",)).expression("'ok'", None, TypeRef(MOOD))
    assert default == "'ok'::public.sd_mood"
