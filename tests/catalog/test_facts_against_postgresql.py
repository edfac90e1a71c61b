"""The tables of facts are PostgreSQL's own, and what is made from them hangs together."""

from __future__ import annotations

import psycopg
import pytest
from postgresql_facts import FOLDER, read

from trilithon.expression.registry import CASTS
from trilithon.query.catalog_views import builtin_objects, columns, facts
from trilithon.query.catalog_views.provider import Viewpoint
from trilithon.query.catalog_views.relations import RELATIONS
from trilithon.query.engine import Engine
from trilithon.query.session.functions import register_session_functions

# Column types that have no values here: such columns are text.
TEXT_INSTEAD = {
    "inet", "pg_dependencies", "pg_lsn", "pg_mcv_list", "pg_ndistinct", "pg_statistic[]", "xid8",
}  # fmt: skip
# Catalogs' references: (table, column) -> table.
REFERENCES = {
    ("pg_operator", "oprleft"): "pg_type",
    ("pg_operator", "oprright"): "pg_type",
    ("pg_operator", "oprresult"): "pg_type",
    ("pg_operator", "oprcode"): "pg_proc",
    ("pg_operator", "oprrest"): "pg_proc",
    ("pg_operator", "oprjoin"): "pg_proc",
    ("pg_operator", "oprcom"): "pg_operator",
    ("pg_operator", "oprnegate"): "pg_operator",
    ("pg_cast", "castsource"): "pg_type",
    ("pg_cast", "casttarget"): "pg_type",
    ("pg_cast", "castfunc"): "pg_proc",
    ("pg_aggregate", "aggfnoid"): "pg_proc",
    ("pg_aggregate", "aggtransfn"): "pg_proc",
    ("pg_aggregate", "aggfinalfn"): "pg_proc",
    ("pg_aggregate", "aggtranstype"): "pg_type",
    ("pg_opclass", "opcfamily"): "pg_opfamily",
    ("pg_opclass", "opcintype"): "pg_type",
    ("pg_opclass", "opcmethod"): "pg_am",
    ("pg_amop", "amopfamily"): "pg_opfamily",
    ("pg_amop", "amopopr"): "pg_operator",
    ("pg_amproc", "amprocfamily"): "pg_opfamily",
    ("pg_amproc", "amproc"): "pg_proc",
    ("pg_am", "amhandler"): "pg_proc",
    ("pg_language", "lanvalidator"): "pg_proc",
    ("pg_type", "typinput"): "pg_proc",
    ("pg_type", "typoutput"): "pg_proc",
    ("pg_type", "typreceive"): "pg_proc",
    ("pg_type", "typsend"): "pg_proc",
    ("pg_type", "typelem"): "pg_type",
    ("pg_type", "typarray"): "pg_type",
    ("pg_proc", "prorettype"): "pg_type",
    ("pg_proc", "prolang"): "pg_language",
    ("pg_proc", "provariadic"): "pg_type",
    ("pg_proc", "prosupport"): "pg_proc",
}


@pytest.fixture(scope="module", autouse=True)
def _everything_registered() -> None:
    register_session_functions()
    assert Engine


def test_the_facts_are_those_of_postgresql(postgresql: str) -> None:
    with psycopg.connect(postgresql) as connection:
        if connection.info.server_version // 10_000 != 15:
            pytest.skip("the facts are PostgreSQL 15's")
    for name, text in read(postgresql).items():
        kept = (FOLDER / f"{name}.tsv").read_text("utf-8")
        assert kept.splitlines() == text.splitlines(), f"{name}: write it again"


def test_every_relation_of_postgresql_is_served_or_known_to_be_missing() -> None:
    known = {(schema, name) for schema, name, *_ in list(facts.lines("relations"))[1:]}
    missing = {name for schema, name in known if (schema, name) not in RELATIONS}
    assert missing == columns.MISSING


def test_columns_have_postgresqls_names_order_and_types() -> None:
    instead = set()
    for schema, name, _, _, text in list(facts.lines("relations"))[1:]:
        if name in columns.MISSING:
            continue
        expected = [part.rstrip("?").split(" ") for part in text.split(", ")]
        served = RELATIONS[schema, name].columns
        later = columns.LATER.get(name, "")
        expected += [part.rstrip("?").split(" ") for part in later.split(", ") if part]
        assert [column for column, _ in served] == [column for column, _ in expected]
        instead |= {
            word
            for (_, word), (_, type_) in zip(expected, served, strict=True)
            if type_.oid == 25 and word != "text"
        }
    assert instead <= TEXT_INSTEAD


def _fixed(table: str) -> list[dict[str, object]]:
    relation = RELATIONS["pg_catalog", table]
    empty = Viewpoint(_NoCatalog(), None)
    names = [name for name, _ in relation.columns]
    return [dict(zip(names, row, strict=False)) for row in relation.rows(empty)]


class _NoCatalog:
    tables = views = sequences = types = functions = schemas = roles = ()


def test_every_reference_leads_to_a_row() -> None:
    oids = {table: {row["oid"] for row in _fixed(table)} for table in set(REFERENCES.values())}
    for (table, column), target in REFERENCES.items():
        wrong = [row for row in _fixed(table) if row[column] and row[column] not in oids[target]]
        assert not wrong, (table, column, wrong[:3])
    for row in _fixed("pg_proc"):
        for oid in row["proargtypes"].items:  # type: ignore[attr-defined]
            assert oid in oids["pg_type"], row


def test_casts_happen_where_postgresql_has_them() -> None:
    letters = {"implicit": "i", "assignment": "a", "explicit": "e"}
    for row in builtin_objects.casts():
        key = row["castsource"], row["casttarget"]
        if key in CASTS:
            assert letters[CASTS[key].context] == row["castcontext"], key
