"""Texts to statements, with two bounded caches: by exact text and by shape."""

from __future__ import annotations

import copy
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.query.parse.grammar import is_async_index, parse_json
from trilithon.query.parse.shape import Shape, lift, literal_value, shape_of
from trilithon.query.parse.statement import Statement, Template, kind_of, walk

TEXTS_MAX: Final = 2048
TEXT_LENGTH_MAX: Final = 8 * 1024
SHAPES_MAX: Final = 1024
VARIANTS_MAX: Final = 16


@dataclass(slots=True)
class _Variant:
    """One template of a shape: which literals were lifted (index, negated)."""

    template: Template
    lifted: list[tuple[int, bool]]


@dataclass(slots=True)
class _Shape:
    """Templates of one shape by the texts of the literals that stay in them."""

    fixed: list[int]
    variants: OrderedDict[tuple[str, ...], _Variant] = field(default_factory=OrderedDict)


class Parser:
    """Not thread-safe: one per event loop."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, list[Statement]] = OrderedDict()
        self._shapes: OrderedDict[Shape, _Shape] = OrderedDict()

    def parse(self, text: str) -> list[Statement]:
        """The statements of a text; an empty text has none. Raises SqlError 42601 and kin."""
        found = self._texts.get(text)
        if found is not None:
            self._texts.move_to_end(text)
            return found
        statements = self._parse_by_shape(text)
        if statements is None:
            statements = parse_plain(text)
        if len(text) <= TEXT_LENGTH_MAX:
            _put(self._texts, text, statements, TEXTS_MAX)
        return statements

    def _parse_by_shape(self, text: str) -> list[Statement] | None:
        shaped = shape_of(text)
        if shaped is None or not shaped[1]:
            return None
        shape, literals = shaped
        known = self._shapes.get(shape)
        if known is not None:
            variant = known.variants.get(tuple(literals[index] for index in known.fixed))
            if variant is not None:
                self._shapes.move_to_end(shape)
                return [_instance(variant, text, literals)]
        return self._learn(text, shape, literals)

    def _learn(self, text: str, shape: Shape, literals: list[str]) -> list[Statement]:
        statements = parse_plain(text)
        if len(statements) != 1:
            return statements
        template = statements[0].template
        node = copy.deepcopy(template.node)
        lifted, types = lift(node, template.tag, text, literals, template.parameter_count + 1)
        if not lifted:
            return statements
        chosen = {index for index, _ in lifted}
        fixed = [index for index in range(len(literals)) if index not in chosen]
        known = self._shapes.get(shape)
        if known is None or known.fixed != fixed:
            known = _Shape(fixed)
            _put(self._shapes, shape, known, SHAPES_MAX)
        variant = _Variant(
            Template(node, template.tag, template.kind, types, template.parameter_count), lifted
        )
        _put(known.variants, tuple(literals[index] for index in fixed), variant, VARIANTS_MAX)
        return [_instance(variant, text, literals)]


def parse_plain(text: str) -> list[Statement]:
    """Parse without caches and without lifting: locations and literals as they stand in the text."""
    statements = []
    data: bytes | None = None
    for raw in parse_json(text):
        node: dict[str, Any] = raw["stmt"]
        node = select_into(node)
        tag = next(iter(node))
        location = raw.get("stmt_location", 0)
        length = raw.get("stmt_len", 0)
        if location == 0 and length == 0:
            own = text
        else:
            data = data if data is not None else text.encode()
            own = data[location : location + length if length else None].decode()
        if tag == "IndexStmt" and is_async_index(own):
            node[tag]["asynchronous"] = True
        template = Template(
            node, tag, _kind(tag, node[tag]), parameter_count=_highest_parameter(node, own)
        )
        statements.append(Statement(template, own.strip(), text, location))
    return statements


def _kind(tag: str, body: dict[str, Any]) -> str:
    """CREATE TABLE AS EXECUTE and EXPLAIN EXECUTE need the session's prepared statement."""
    if tag in ("CreateTableAsStmt", "ExplainStmt") and "ExecuteStmt" in body["query"]:
        return "execute"
    return kind_of(tag)


def select_into(node: dict[str, Any]) -> dict[str, Any]:
    """SELECT INTO as the CREATE TABLE AS that it means; the target stands in the leftmost SELECT."""
    leaf = node.get("SelectStmt")
    while leaf is not None and "larg" in leaf:
        leaf = leaf["larg"]
    if leaf is None or "intoClause" not in leaf:
        return node
    into = leaf.pop("intoClause")
    made = {"query": node, "into": into, "objtype": "OBJECT_TABLE", "is_select_into": True}
    return {"CreateTableAsStmt": made}


def _highest_parameter(node: dict[str, Any], text: str) -> int:
    if "$" not in text:
        return 0
    return max(
        (value.get("number", 0) for key, value in walk(node) if key == "ParamRef"), default=0
    )


def _instance(variant: _Variant, text: str, literals: list[str]) -> Statement:
    constants = tuple(
        literal_value(literals[index], negative) for index, negative in variant.lifted
    )
    return Statement(variant.template, text, text, 0, constants)


def _put(cache: OrderedDict[Any, Any], key: Any, value: Any, bound: int) -> None:
    cache[key] = value
    if len(cache) > bound:
        cache.popitem(last=False)
