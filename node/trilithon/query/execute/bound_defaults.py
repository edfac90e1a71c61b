"""Defaults as they are stored: sequences by their ids.

A default means the sequences that its names meant when it was written, whoever inserts, and under whatever
name later. So a constant that names one, in the argument of nextval() and its kin or cast to regclass, is
stored as the sequence's number, which regclass reads as well. Names that are made at run time
(`'s'::text`) stay names.
"""

from __future__ import annotations

from typing import Any, Final

from trilithon.query.analyse import names
from trilithon.query.catalog.definitions import Sequence
from trilithon.query.catalog_views import object_names
from trilithon.query.execute.definitions import Definer
from trilithon.query.parse.deparse import expression_text
from trilithon.query.parse.statement import Node
from trilithon.types.registry import REGCLASS

_TAKE_SEQUENCES: Final = frozenset({"nextval", "currval", "setval"})
_REGCLASS_NAME: Final = [{"String": {"sval": "regclass"}}]


def bound_default(definer: Definer, node: Node) -> tuple[str, tuple[int, ...]]:
    """The text, and the sequences that it names. SqlError 42P01 and as of `expression_text`."""
    uses: list[int] = []
    text = expression_text(_bound(definer, node, uses))
    found = tuple(dict.fromkeys(uses))
    for sequence_id in found:
        definer.transaction.depend_on_object(sequence_id)
    return text, found


def called_sequence(sequence_id: int) -> str:
    """A default that is the next value of a sequence."""
    return f"nextval('{sequence_id}'::regclass)"


def _bound(definer: Definer, value: Any, uses: list[int]) -> Any:
    if isinstance(value, list):
        return [_bound(definer, one, uses) for one in value]
    if not isinstance(value, dict):
        return value
    call, cast = value.get("FuncCall"), value.get("TypeCast")
    if call is not None and _is_about_a_sequence(call):
        first, *others = call["args"]
        constant = _constant(definer, first, uses)
        if constant is not None:
            kind = {"names": _REGCLASS_NAME, "typemod": -1}
            others = [_bound(definer, one, uses) for one in others]
            first = {"TypeCast": {"arg": constant, "typeName": kind}}
            return {**value, "FuncCall": {**call, "args": [first, *others]}}
    if cast is not None and _is_regclass(cast["typeName"]):
        constant = _constant(definer, cast["arg"], uses)
        if constant is not None:
            return {**value, "TypeCast": {**cast, "arg": constant}}
    return {key: _bound(definer, one, uses) for key, one in value.items()}


def _is_about_a_sequence(call: Node) -> bool:
    path = names.strings(call["funcname"])
    return (
        path[-1] in _TAKE_SEQUENCES and path[:-1] in ([], ["pg_catalog"]) and bool(call.get("args"))
    )


def _is_regclass(type_name: Node) -> bool:
    path = names.strings(type_name.get("names", []))
    return path in (["regclass"], ["pg_catalog", "regclass"]) and "arrayBounds" not in type_name


def _constant(definer: Definer, node: Node, uses: list[int]) -> Node | None:
    """A constant that names a sequence, by its number. SqlError 42P01."""
    text = node.get("A_Const", {}).get("sval", {}).get("sval")
    if text is None:
        return None
    path = tuple(definer.settings.search_path)
    oid = object_names.resolve(definer.catalog, path, REGCLASS.oid, text)
    if not isinstance(definer.catalog.object_by_id(oid), Sequence):
        return None
    uses.append(oid)
    return {"A_Const": {"sval": {"sval": str(oid)}}}
