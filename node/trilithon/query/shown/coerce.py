"""Coercions as PostgreSQL's parser puts them into an expression (parse_coerce.c), where they can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from trilithon.expression import functions
from trilithon.query.analyse import coercion
from trilithon.query.analyse.context import Analysis
from trilithon.query.catalog.definitions import Domain
from trilithon.query.shown.nodes import Cast, CastKind, Const, Shown, Unshown
from trilithon.types.registry import POLYMORPHIC, TEXT, UNKNOWN, TypeRef, type_info

_KINDS: Final[dict[str, CastKind]] = {
    "same": "relabel",
    "function": "function",
    "text": "io",
    "array": "array",
}
_TIME_TYPES: Final = frozenset({1082, 1083, 1114, 1184, 1266})
_MOMENTS: Final = ("now", "today", "tomorrow", "yesterday")


def is_literal(node: Shown) -> bool:
    return isinstance(node, Const) and node.type.oid == UNKNOWN.oid


def typed_literal(analysis: Analysis, node: Const, target: TypeRef) -> Const:
    """A literal as its context types it; only an interval's fields change how its text is read."""
    read_as = target if type_info(target.oid).name == "interval" else TypeRef(target.oid)
    if node.value is None:
        return Const(None, TypeRef(target.oid))
    text: str = node.value
    if target.oid in _TIME_TYPES and text.strip().lower().startswith(_MOMENTS):
        # The moment at which it is read, which no text has.
        raise Unshown(text)
    return Const(coercion.parse_literal(analysis, read_as, text), read_as)


def implicit(analysis: Analysis, node: Shown, target: TypeRef) -> Shown:
    """For operators, functions, CASE and kin: the modifier does not matter."""
    if target.oid == UNKNOWN.oid:
        return node
    if is_literal(node):
        return typed_literal(analysis, node, TypeRef(target.oid))
    if node.type.oid == target.oid:
        if node.domain is not None:
            return Cast(node, TypeRef(target.oid), "relabel", True)
        return node
    return Cast(node, TypeRef(target.oid), kind_of(node.type, target), True)


def kind_of(source: TypeRef, target: TypeRef) -> CastKind:
    path = functions.find_cast(source.oid, target.oid)
    if path is None:
        raise Unshown(f"{source} to {target}")
    return _KINDS[path.kind]


def arguments(
    analysis: Analysis, nodes: Sequence[Shown], wanted: Sequence[TypeRef], declared: Sequence[int]
) -> tuple[Shown, ...]:
    """`declared`: a domain's value stays one where the function takes any type."""
    found = []
    for position, (node, type_) in enumerate(zip(nodes, wanted, strict=True)):
        any_type = position < len(declared) and declared[position] in POLYMORPHIC
        if any_type and node.type.oid == type_.oid:
            found.append(node)
        else:
            found.append(implicit(analysis, node, type_))
    return tuple(found)


def explicit(analysis: Analysis, node: Shown, target: TypeRef, domain: Domain | None) -> Shown:
    """CAST (node AS target)."""
    if domain is not None:
        inner = assigned(analysis, node, target)
        return Cast(inner, TypeRef(target.oid), "domain", False, domain)
    if is_literal(node):
        constant = typed_literal(analysis, node, target)
        if constant.type.typmod == target.typmod or target.typmod < 0:
            return constant
        return Cast(constant, target, "function", False)
    if node.type.oid != target.oid:
        return Cast(node, target, kind_of(node.type, target), False)
    if node.domain is None and node.type.typmod == target.typmod:
        return node
    if target.typmod >= 0:
        return Cast(node, target, "function", False)
    if isinstance(node, Const):
        return replace(node, type=target)
    return Cast(node, target, "relabel", False)


def assigned(analysis: Analysis, node: Shown, target: TypeRef) -> Shown:
    """On its way into a column, its modifier included."""
    made: Shown
    if is_literal(node):
        made = typed_literal(analysis, node, target)
    else:
        made = implicit(analysis, node, target)
    if made.type.typmod == target.typmod:
        return made
    if target.typmod >= 0:
        return Cast(made, target, "function", True)
    if isinstance(made, Const):
        return replace(made, type=target)
    return Cast(made, target, "relabel", True)


def settled(analysis: Analysis, node: Shown) -> Shown:
    return typed_literal(analysis, node, TEXT) if is_literal(node) else node


def common_type(nodes: Sequence[Shown], words: str) -> TypeRef:
    found: Any = functions.common_type([TypeRef(node.type.oid) for node in nodes], words)
    return TypeRef(found.oid)


def common(analysis: Analysis, nodes: Sequence[Shown], words: str) -> tuple[Shown, ...]:
    """All brought to one type; equal domains stay what they are."""
    domains = {node.domain for node in nodes}
    if len(domains) == 1 and len({node.type.oid for node in nodes}) == 1 and None not in domains:
        return tuple(nodes)
    type_ = common_type(nodes, words)
    return tuple(implicit(analysis, node, type_) for node in nodes)
