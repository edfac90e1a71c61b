"""Text of a shown tree, as ruleutils.c writes it: parentheses, line breaks and indentation included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from trilithon.query.catalog.definitions import Domain
from trilithon.query.catalog_views.objects import quote
from trilithon.query.shown.nodes import (
    AnyAll,
    Array,
    Call,
    Case,
    Cast,
    Collate,
    Column,
    Const,
    IsDistinct,
    Listed,
    Logic,
    Operator,
    Row,
    RowCompare,
    Shown,
    Subscript,
    Test,
    Unshown,
    Word,
)
from trilithon.query.shown.texts import literal, type_text, value_text
from trilithon.types.registry import BOOL, INT4, NUMERIC, UNKNOWN, TypeRef

INDENT: Final = 4
INDENT_LIMIT: Final = 40


@dataclass(slots=True, eq=False)
class Writer:
    """`pretty` leaves out parentheses that are not needed; `path` decides which names need a schema."""

    catalog: Any
    path: tuple[str, ...]
    settings: Any
    pretty: bool = False
    text: str = ""
    indent: int = 0

    def add(self, text: str) -> None:
        self.text += text

    def key_word(self, text: str, before: int = 0, after: int = 0, plus: int = 0) -> None:
        """On a new line."""
        self.indent += before
        level = max(self.indent, 0)
        if level < INDENT_LIMIT:
            amount = level + plus
        else:
            amount = (INDENT_LIMIT + (level - INDENT_LIMIT) // 4) % INDENT_LIMIT + plus
        self.text = self.text.rstrip(" ") + "\n" + " " * amount + text
        self.indent = max(self.indent + after, 0)

    def opened(self) -> None:
        if not self.pretty:
            self.text += "("

    def closed(self) -> None:
        if not self.pretty:
            self.text += ")"

    def type_text(self, type_: TypeRef, domain: Domain | None = None) -> str:
        return type_text(self.catalog, self.path, type_, domain)

    def write(self, node: Shown, implicit: bool) -> None:
        """`implicit`: casts that the context asked for are shown."""
        _HANDLERS[type(node)](self, node, implicit)

    def inner(self, node: Shown, implicit: bool, parent: Shown) -> None:
        """In parentheses where pretty mode needs them."""
        if self.pretty and not is_simple(node, parent):
            self.text += "("
            self.write(node, implicit)
            self.text += ")"
        else:
            self.write(node, implicit)

    def listed(self, nodes: Any, implicit: bool = True) -> None:
        for position, node in enumerate(nodes):
            if position:
                self.text += ", "
            self.write(node, implicit)


# ---- which nodes need no parentheses within others (isSimpleNode)

_ALWAYS: Final = (Const, Column, Word, Subscript, Array, Row, Listed, Call, Case)
_BRACKETS: Final = (Logic, Subscript, Array, Row, Listed, Case)


def is_simple(node: Shown, parent: Shown) -> bool:
    if isinstance(node, _ALWAYS):
        return True
    if isinstance(node, Cast):
        return node.kind == "function" or is_simple(node.argument, node)
    if isinstance(node, Logic):
        if isinstance(parent, Logic):
            allowed = ("OR",) if node.word == "OR" else ("AND", "OR")
            return parent.word in allowed
        return _within_call(parent) or (
            isinstance(parent, _BRACKETS) and not isinstance(parent, Logic)
        )
    if isinstance(node, Operator) and isinstance(parent, Operator):
        return _binds_tighter(node, parent)
    if isinstance(node, Operator | Test | IsDistinct):
        return _within_call(parent) or isinstance(parent, _BRACKETS)
    return False


def _within_call(parent: Shown) -> bool:
    return isinstance(parent, Call) and not parent.syntax


def _binds_tighter(node: Operator, parent: Operator) -> bool:
    if node.left is None or parent.left is None:
        return False
    ours, theirs = _priority(node.name), _priority(parent.name)
    if not ours or not theirs:
        return False
    return ours > theirs or (ours == theirs and node is parent.left)


def _priority(name: str) -> int:
    return 1 if name in ("+", "-") else 2 if name in ("*", "/", "%") else 0


# ---- leaves


def constant(writer: Writer, node: Const, label: int) -> None:
    """`label` -1: never the type; 0: where the text alone does not tell it; 1: always."""
    type_ = node.type
    if node.value is None:
        writer.add("NULL")
        if label >= 0:
            writer.add("::" + writer.type_text(type_))
        return
    if type_.oid == UNKNOWN.oid:
        text = str(node.value)
    else:
        text = value_text(writer.catalog, writer.path, type_, node.value, writer.settings)
    labelled = type_.oid not in (BOOL.oid, UNKNOWN.oid)
    if type_.oid == BOOL.oid:
        writer.add("true" if text == "t" else "false")
    elif type_.oid == INT4.oid and not text.startswith("-"):
        writer.add(text)
        labelled = False
    elif type_.oid == NUMERIC.oid and text[:1].isdigit() and set(text) & set("eE."):
        writer.add(text)
        labelled = type_.typmod >= 0
    elif type_.oid in (INT4.oid, NUMERIC.oid):
        writer.add(f"'{text}'")
    else:
        writer.add(literal(text))
    if label > 0 or (label == 0 and labelled):
        writer.add("::" + writer.type_text(type_))


def _const(writer: Writer, node: Const, implicit: bool) -> None:
    constant(writer, node, 0)


def _column(writer: Writer, node: Column, implicit: bool) -> None:
    writer.add(quote(node.name))


def _word(writer: Writer, node: Word, implicit: bool) -> None:
    writer.add(node.text)


# ---- operators


def _operator(writer: Writer, node: Operator, implicit: bool) -> None:
    writer.opened()
    if node.left is not None:
        writer.inner(node.left, True, node)
        writer.add(f" {node.name} ")
    else:
        writer.add(f"{node.name} ")
    writer.inner(node.right, True, node)
    writer.closed()


def _any_all(writer: Writer, node: AnyAll, implicit: bool) -> None:
    writer.opened()
    writer.inner(node.left, True, node)
    writer.add(f" {node.operator} {'ALL' if node.all else 'ANY'} (")
    writer.inner(node.right, True, node)
    writer.add(")")
    writer.closed()


def _logic(writer: Writer, node: Logic, implicit: bool) -> None:
    writer.opened()
    if node.word == "NOT":
        writer.add("NOT ")
        writer.inner(node.arguments[0], False, node)
    for position, argument in enumerate(node.arguments if node.word != "NOT" else ()):
        if position:
            writer.add(f" {node.word} ")
        writer.inner(argument, False, node)
    writer.closed()


def _test(writer: Writer, node: Test, implicit: bool) -> None:
    writer.opened()
    writer.inner(node.argument, node.words.endswith("NULL"), node)
    writer.add(" " + node.words)
    writer.closed()


def _is_distinct(writer: Writer, node: IsDistinct, implicit: bool) -> None:
    writer.opened()
    writer.inner(node.left, True, node)
    writer.add(" IS DISTINCT FROM ")
    writer.inner(node.right, True, node)
    writer.closed()


def _row_compare(writer: Writer, node: RowCompare, implicit: bool) -> None:
    writer.add("(ROW(")
    writer.listed(node.left)
    writer.add(f") {node.operator} ROW(")
    writer.listed(node.right)
    writer.add("))")


# ---- casts, CASE and kin


def _cast(writer: Writer, node: Cast, implicit: bool) -> None:
    argument = node.argument
    if node.implicit and not implicit:
        writer.inner(argument, False, node)
        return
    bare = isinstance(argument, Const) and argument.type.typmod < 0 and node.domain is None
    if bare and argument.type.oid == node.type.oid:
        constant(writer, argument, -1)
    else:
        writer.opened()
        writer.inner(argument, False, node)
        writer.closed()
    writer.add("::" + writer.type_text(node.type, node.domain))


def _case(writer: Writer, node: Case, implicit: bool) -> None:
    writer.key_word("CASE", 0, INDENT, 0)
    if node.operand is not None:
        writer.add(" ")
        writer.write(node.operand, True)
    for condition, result in node.whens:
        writer.key_word("WHEN ")
        writer.write(condition, False)
        writer.add(" THEN ")
        writer.write(result, True)
    writer.key_word("ELSE ")
    writer.write(node.otherwise, True)
    writer.key_word("END", -INDENT, 0, 0)


def _listed(writer: Writer, node: Listed, implicit: bool) -> None:
    writer.add(f"{node.word}(")
    writer.listed(node.arguments)
    writer.add(")")


def _array(writer: Writer, node: Array, implicit: bool) -> None:
    writer.add("ARRAY[")
    writer.listed(node.items)
    writer.add("]" if node.items else f"]::{writer.type_text(TypeRef(node.type.oid))}")


def _row(writer: Writer, node: Row, implicit: bool) -> None:
    writer.add("ROW(")
    writer.listed(node.items)
    writer.add(")")


def _subscript(writer: Writer, node: Subscript, implicit: bool) -> None:
    plain = isinstance(node.argument, Column | Word)
    if not plain:
        writer.add("(")
    writer.write(node.argument, implicit)
    if not plain:
        writer.add(")")
    for lower, upper, sliced in node.steps:
        writer.add("[")
        if lower is not None:
            writer.write(lower, False)
        if sliced:
            writer.add(":")
        if upper is not None:
            writer.write(upper, False)
        writer.add("]")


def _collate(writer: Writer, node: Collate, implicit: bool) -> None:
    writer.opened()
    writer.inner(node.argument, implicit, node)
    writer.add(f" COLLATE {quote(node.name)}")
    writer.closed()


# ---- calls


def _call(writer: Writer, node: Call, implicit: bool) -> None:
    pattern = node.name == "substring" and node.arguments[1].type.oid != INT4.oid
    if node.syntax and not pattern:
        _SYNTAX.get(node.name, _no_syntax)(writer, node)
        return
    writer.add(f"{quote(node.name)}(")
    for position, argument in enumerate(node.arguments):
        if position:
            writer.add(", ")
        if node.labels and node.labels[position]:
            writer.add(f"{quote(node.labels[position])} => ")
        writer.write(argument, True)
    writer.add(")")


def _no_syntax(writer: Writer, node: Call) -> None:
    raise Unshown(f"the syntax of {node.name}")


def _timezone(writer: Writer, node: Call) -> None:
    writer.add("(")
    writer.inner(node.arguments[1], False, node)
    writer.add(" AT TIME ZONE ")
    writer.inner(node.arguments[0], False, node)
    writer.add(")")


def _extract(writer: Writer, node: Call) -> None:
    what = node.arguments[0]
    if not isinstance(what, Const):
        raise Unshown("EXTRACT")
    writer.add(f"EXTRACT({what.value} FROM ")
    writer.write(node.arguments[1], False)
    writer.add(")")


def _overlaps(writer: Writer, node: Call) -> None:
    writer.add("((")
    writer.listed(node.arguments[:2], False)
    writer.add(") OVERLAPS (")
    writer.listed(node.arguments[2:], False)
    writer.add("))")


def _position(writer: Writer, node: Call) -> None:
    writer.add("POSITION((")
    writer.write(node.arguments[1], False)
    writer.add(") IN (")
    writer.write(node.arguments[0], False)
    writer.add("))")


def _with_words(first: str, *words: str) -> Callable[[Writer, Call], None]:
    def write(writer: Writer, node: Call) -> None:
        writer.add(f"{first}(")
        for position, argument in enumerate(node.arguments):
            if position:
                writer.add(f" {words[position - 1]} ")
            writer.write(argument, False)
        writer.add(")")

    return write


def _trim(side: str) -> Callable[[Writer, Call], None]:
    def write(writer: Writer, node: Call) -> None:
        writer.add(f"TRIM({side}")
        if len(node.arguments) == 2:
            writer.add(" ")
            writer.write(node.arguments[1], False)
        writer.add(" FROM ")
        writer.write(node.arguments[0], False)
        writer.add(")")

    return write


_SYNTAX: Final[dict[str, Callable[[Writer, Call], None]]] = {
    "timezone": _timezone,
    "extract": _extract,
    "overlaps": _overlaps,
    "position": _position,
    "overlay": _with_words("OVERLAY", "PLACING", "FROM", "FOR"),
    "substring": _with_words("SUBSTRING", "FROM", "FOR"),
    "btrim": _trim("BOTH"),
    "ltrim": _trim("LEADING"),
    "rtrim": _trim("TRAILING"),
}

_HANDLERS: Final[dict[type, Callable[[Writer, Any, bool], None]]] = {
    Const: _const,
    Column: _column,
    Word: _word,
    Operator: _operator,
    AnyAll: _any_all,
    Logic: _logic,
    Test: _test,
    IsDistinct: _is_distinct,
    RowCompare: _row_compare,
    Cast: _cast,
    Case: _case,
    Listed: _listed,
    Array: _array,
    Row: _row,
    Subscript: _subscript,
    Collate: _collate,
    Call: _call,
}
