"""Functions that name, describe and find catalog objects: casts of regclass and its like, to_reg*(),
format_type(), pg_get_function_*(), pg_*_is_visible(), comments.

Registered when this module is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import (
    ASSIGNMENT,
    CASTS,
    EXPLICIT,
    IMPLICIT,
    STABLE,
    cast,
    type_oid,
)
from trilithon.query.catalog.definitions import Function
from trilithon.query.catalog_views import (
    builtin_objects,
    builtin_signatures,
    descriptions,
    object_names,
    procedures,
)
from trilithon.query.catalog_views.facts import Fact
from trilithon.query.catalog_views.registration import catalog_of, path_of, stable
from trilithon.types.registry import OBJECT_NAMES, format_type, lookup_type

# ---- casts between names and text


def _cast(source: str, target: str, context: str, call: Callable[..., Any]) -> None:
    if (type_oid(source), type_oid(target)) not in CASTS:
        cast(f"{source} -> {target}", context, context=True, volatility=STABLE)(call)


def _define_casts(kind: str) -> None:
    oid = lookup_type(kind).oid

    def named(context: Any, value: int) -> str:
        return object_names.render(catalog_of(context), path_of(context), oid, value)

    def found(context: Any, text: str) -> int:
        return object_names.resolve(catalog_of(context), path_of(context), oid, text)

    for text in ("text", "varchar", "bpchar", "name"):
        _cast(kind, text, ASSIGNMENT, named)
        # Alone of them regclass is what a text may be taken for.
        implicit = kind == "regclass" and text in ("text", "varchar")
        _cast(text, kind, IMPLICIT if implicit else EXPLICIT, found)


# What to_reg*() turns into NULL: not there, or ambiguous.
_NOT_FOUND: Final = frozenset({"42P01", "3F000", "42704", "42883", "42725"})


def _define_finder(kind: str) -> None:
    oid = lookup_type(kind).oid

    @stable(f"to_{kind}(text) -> {kind}")
    def find(context: Any, text: str) -> int | None:
        try:
            return object_names.resolve(catalog_of(context), path_of(context), oid, text)
        except SqlError as error:
            if error.sqlstate in _NOT_FOUND:
                return None
            raise


for _kind in OBJECT_NAMES:
    _define_casts(_kind)
    _define_finder(_kind)


@stable("format_type(oid, int4) -> text", strict=False)
def _format_type(context: Any, oid: int | None, typmod: int | None) -> str | None:
    if oid is None:
        return None
    if oid == 0:
        return "-"
    # Without a modifier char is bpchar(1)'s name, with -1 the internal one.
    text = format_type(oid, typmod)
    if text != "???":
        return text
    known = builtin_signatures.type_text(oid)
    return (
        known
        if known != "???"
        else object_names.composite_text(catalog_of(context), path_of(context), oid) or known
    )


# ---- functions as text


def _function_text(
    name: str, own: Callable[[Function], str | None], built_in: Callable[[Fact], str | None]
) -> None:
    def answer(context: Any, oid: int) -> str | None:
        found = catalog_of(context).object_by_id(oid)
        if isinstance(found, Function):
            return own(found)
        row = builtin_objects.procedures().get(oid)
        return None if row is None else built_in(row)

    stable(f"{name}(oid) -> text")(answer)


def _schema_of(row: Fact) -> str:
    return (
        "pg_catalog"
        if row.get("pronamespace", builtin_objects.CATALOG) == builtin_objects.CATALOG
        else "sys"
    )


_function_text("pg_get_function_result", procedures.result_text, builtin_signatures.result_text)
_function_text(
    "pg_get_function_arguments",
    procedures.arguments_text,
    lambda row: builtin_signatures.arguments_text(row, defaults=True),
)
_function_text(
    "pg_get_function_identity_arguments",
    procedures.identity_text,
    lambda row: builtin_signatures.arguments_text(row, defaults=False),
)
_function_text("pg_get_function_sqlbody", procedures.body_text, lambda row: row["prosqlbody"])
_function_text(
    "pg_get_functiondef",
    procedures.definition_text,
    lambda row: builtin_signatures.definition_text(row, _schema_of(row)),
)


@stable("pg_get_function_arg_default(oid, int4) -> text")
def _argument_default(context: Any, oid: int, number: int) -> str | None:
    found = catalog_of(context).object_by_id(oid)
    if isinstance(found, Function):
        known = found.arguments[number - 1] if 1 <= number <= len(found.arguments) else None
        return None if known is None else known.default
    row = builtin_objects.procedures().get(oid)
    return None if row is None else builtin_signatures.argument_default(row, number)


# ---- visibility: whether the search path finds an object by its bare name


def _visible(kind: str, answer: Callable[[Any, tuple[str, ...], int], bool | None]) -> None:
    stable(f"pg_{kind}_is_visible(oid) -> bool")(
        lambda context, oid: answer(catalog_of(context), path_of(context), oid)
    )


def _type_is_visible(catalog: Any, path: tuple[str, ...], oid: int) -> bool | None:
    if any(row["oid"] == oid for row in builtin_objects.types()):
        return True
    return object_names.type_is_visible(catalog, path, oid)


def _function_is_visible(catalog: Any, path: tuple[str, ...], oid: int) -> bool | None:
    found = catalog.object_by_id(oid)
    if isinstance(found, Function):
        return found in catalog.functions_named(path, found.name)
    row = builtin_objects.procedures().get(oid)
    return None if row is None else _schema_of(row) in ("pg_catalog", *path)


def _is_among(oids: Callable[[], Any]) -> Callable[[Any, tuple[str, ...], int], bool | None]:
    return lambda catalog, path, oid: True if oid in oids() else None


_visible("type", _type_is_visible)
_visible("function", _function_is_visible)
_visible("operator", _is_among(builtin_objects.operators))
_visible("opclass", _is_among(lambda: {row["oid"] for row in builtin_objects.operator_classes()}))
_visible("opfamily", _is_among(lambda: {row["oid"] for row in builtin_objects.operator_families()}))
_visible("collation", _is_among(lambda: (100, 950, 951)))
for _kind in ("conversion", "statistics_obj", "ts_config", "ts_dict", "ts_parser", "ts_template"):
    _visible(_kind, lambda catalog, path, oid: None)


# ---- comments


@stable("obj_description(oid, name) -> text")
def _object_description(context: Any, oid: int, kind: str) -> str | None:
    class_ = descriptions.CLASSES.get(kind, 0)
    return descriptions.find(catalog_of(context), class_, oid)


@stable("obj_description(oid) -> text")
def _any_description(context: Any, oid: int) -> Any:
    return descriptions.find(catalog_of(context), None, oid)


@stable("col_description(oid, int4) -> text")
def _column_description(context: Any, oid: int, number: int) -> str | None:
    table = catalog_of(context).table_by_id(oid)
    if table is None or not 0 < number <= len(table.columns):
        return None
    return table.columns[number - 1].comment or None


@stable("shobj_description(oid, name) -> text")
def _shared_description(context: Any, oid: int, kind: str) -> str | None:
    return None
