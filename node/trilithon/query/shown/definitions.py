"""What the catalog stores as SQL, as PostgreSQL shows it.

Stored texts are what was written. They are analysed anew when somebody looks, so that they follow renames
and old ones need no other form; the result is remembered with the version of the catalog. A form that is not
known here is shown as it is stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.query.analyse import domains as domain_rules
from trilithon.query.analyse import table_expressions
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.notes import Notes
from trilithon.query.catalog.definitions import Domain, Table
from trilithon.query.parse.parser import parse_plain
from trilithon.query.shown import coerce
from trilithon.query.shown.build import Builder
from trilithon.query.shown.nodes import Call, Cast, Listed, Shown, Unshown, Word
from trilithon.query.shown.writer import Writer
from trilithon.types.registry import BOOL, TypeRef
from trilithon.types.settings import IoSettings

REMEMBERED_MAX: Final = 4096
_DECIDED: Final = re.compile(r"\{(type|domain) (\d+)(?: (-?\d+))?\} ", re.ASCII)


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """Who looks: the catalog's version, the search path, and how values are written."""

    catalog: Any
    path: tuple[str, ...] = ("public",)
    io: IoSettings = field(default_factory=IoSettings)
    pretty: bool = False

    def writer(self) -> Writer:
        return Writer(self.catalog, self.path, self.io, self.pretty)

    def tree_text(self, tree: str, table: Table | None) -> str:
        """pg_get_expr()."""
        decided = _DECIDED.match(tree)
        if decided is None:
            return self.expression(tree, table, None)
        sql, number = tree[decided.end() :], int(decided[2])
        if decided[1] == "type":
            return self.expression(sql, table, TypeRef(number, int(decided[3] or -1)))
        domain = self.catalog.object_by_id(number)
        return self.domain_check(domain, sql) if isinstance(domain, Domain) else sql

    def expression(self, sql: str, table: Table | None, target: TypeRef | None) -> str:
        """An expression over a table's columns, on its way to `target`."""

        def make() -> str:
            writer = self.writer()
            writer.write(_built(self, sql, table, target), False)
            return writer.text

        key = ("expression", sql, table.id if table is not None else 0, target)
        return self._remembered(key, make, sql)

    def check(self, sql: str, table: Table) -> str:
        return self.expression(sql, table, BOOL)

    def index_expression(self, sql: str, table: Table) -> str:
        """In parentheses unless it looks like a function's call."""

        def make() -> str:
            node = _built(self, sql, table, None)
            writer = self.writer()
            writer.write(node, False)
            return writer.text if _is_call(node) else f"({writer.text})"

        plain = sql if re.fullmatch(r"\w+\([^()]*\)", sql) else f"({sql})"
        return self._remembered(("index", sql, table.id), make, plain)

    def domain_check(self, domain: Domain, sql: str) -> str:
        def make() -> str:
            writer = self.writer()
            writer.write(_built_about_value(self, domain, sql), False)
            return writer.text

        return self._remembered(("domain", sql, domain.id), make, _with_value(sql))

    def _remembered(self, key: Any, make: Callable[[], str], written: str) -> str:
        """In a dictionary of this version of the catalog, gone with it; `written` where `make` fails."""
        known: dict[Any, str] = self.catalog.__dict__.setdefault("shown_definitions", {})
        io = self.io
        form = (
            io.timezone,
            io.datestyle,
            io.intervalstyle,
            io.extra_float_digits,
            io.bytea_output,
        )
        full = (key, self.path, self.pretty, form)
        found = known.get(full)
        if found is None:
            try:
                found = make()
            except (Unshown, SqlError, ArithmeticError, LookupError, RecursionError, ValueError):
                found = written
            if len(known) >= REMEMBERED_MAX:
                known.clear()
            known[full] = found
        return found


@dataclass(slots=True)
class _Settings:
    search_path: tuple[str, ...]
    io: IoSettings
    user: str = "admin"
    database: str = ""


# ---- texts that say what they are for (pg_node_tree)


def for_type(type_: TypeRef, sql: str) -> str:
    """A default or a generated column's expression, whose column decides what its literals mean."""
    return f"{{type {type_.oid} {type_.typmod}}} {sql}"


def for_domain(domain: Domain, sql: str) -> str:
    """A domain's CHECK, about VALUE."""
    return f"{{domain {domain.id}}} {sql}"


# ---- expressions


def _is_call(node: Shown) -> bool:
    if isinstance(node, Cast):
        return node.implicit and _is_call(node.argument)
    return isinstance(node, Call | Listed) or (isinstance(node, Word) and node.function)


def _built_about_value(view: Viewpoint, domain: Domain, sql: str) -> Shown:
    """VALUE is a key word."""
    analysis = _analysis(view, sql)
    value = analysis.column(domain_rules.VALUE, domain.base)
    node = analysis.statement.body["targetList"][0]["ResTarget"]["val"]
    domain_rules.condition(analysis, node, ir.Column(value.id, value.type))
    builder = _builder(analysis)
    builder.words[value.id] = "VALUE"
    return builder.boolean(node)


_VALUE: Final = re.compile(r"""("[^"]*"|'[^']*')|\bvalue\b""")


def _with_value(sql: str) -> str:
    return _VALUE.sub(lambda match: match[1] or "VALUE", sql)


def _built(view: Viewpoint, sql: str, table: Table | None, target: TypeRef | None) -> Shown:
    analysis = _analysis(view, sql)
    node = analysis.statement.body["targetList"][0]["ResTarget"]["val"]
    columns = table.columns if table is not None else ()
    outputs = [analysis.column(column.name, column.type) for column in columns]
    table_expressions.analyse_node(analysis, node, table, outputs)
    builder = _builder(analysis)
    for column, output in zip(columns, outputs, strict=True):
        domain = view.catalog.object_by_id(column.domain_id) if column.domain_id else None
        if isinstance(domain, Domain):
            builder.domains[output.id] = domain
    made = builder.build(node)
    if target is None:
        return coerce.settled(analysis, made)
    return coerce.assigned(analysis, made, target)


def _analysis(view: Viewpoint, sql: str) -> Analysis:
    from trilithon.query.catalog_views.relations import RELATIONS

    statement = parse_plain("SELECT " + sql)[0]
    settings = _Settings(view.path, view.io)
    analysis = Analysis(
        statement, view.catalog, settings, RELATIONS, [], parameters_fixed=True, silent=1
    )
    analysis.notes = Notes()
    return analysis


def _builder(analysis: Analysis) -> Builder:
    assert analysis.notes is not None
    return Builder(analysis, analysis.notes)
