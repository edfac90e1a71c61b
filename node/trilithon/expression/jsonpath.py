"""Running a jsonpath over a JSON value (json_value's Python shape).

Items are given one by one, so who wants only the first one costs no more; errors come where PostgreSQL
meets them. `Unfit` is an error that `silent`, filters and comparisons turn into nothing or unknown; any other
SqlError ends the statement. Unknown is None among predicates' values.

Bounds: STEPS_MAX items are looked at in one evaluation (SQLSTATE 54001), for nobody else is answered meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import jsonpath_datetime as jd
from trilithon.expression import numeric_math as nm
from trilithon.expression.patterns import Regex, compile_regex
from trilithon.types import numeric, text_io
from trilithon.types.json_value import dump
from trilithon.types.json_value import kind_of as json_kind
from trilithon.types.jsonpath_layout import container_offsets
from trilithon.types.jsonpath_syntax import LAST_LEVEL, Chain, Item, JsonPath
from trilithon.types.registry import FLOAT8
from trilithon.types.settings import IoSettings

STEPS_MAX: Final = 1_000_000


class Unfit(SqlError):
    """An error that a path may suppress."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What surrounds an item: `@`, the number of elements that `last` counts, and whether the structure's
    errors are none (lax mode, and after `**`). `base` is what keyvalue()'s ids count from."""

    current: Any
    last: int
    lenient: bool
    base: tuple[Any, int]


@dataclass(slots=True)
class Evaluation:
    """One run. Without `variables` (the operators have none) each of them is null; `zoned` allows what depends on the time zone."""

    path: JsonPath
    root: Any
    variables: dict[str, Any] | None
    zoned: bool
    settings: IoSettings
    steps: int = 0
    generated: int = 1

    def items(self) -> Iterator[Any]:
        """What the path finds. Raises Unfit and SqlError."""
        scope = Scope(self.root, -1, self.path.lax, (self.root, 0))
        return self.run(self.path.chain, self.root, scope)

    def run(self, chain: Chain, value: Any, scope: Scope) -> Iterator[Any]:
        return self.step(chain, 0, value, scope, self.path.lax)

    def step(self, chain: Chain, at: int, value: Any, scope: Scope, unwrap: bool) -> Iterator[Any]:
        """The items from the `at`th on; `unwrap`: an array stands for its elements where one wants no array."""
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise SqlError("54001", "the jsonpath looks at too many items")
        if at == len(chain):
            yield value
            return
        item = chain[at]
        if unwrap and isinstance(value, list) and _wants_no_array(item):
            for element in value:
                yield from self.step(chain, at, element, scope, False)
            return
        handler = _HANDLERS.get(item.kind)
        if handler is not None:
            for found, inner in handler(self, item, value, scope):
                yield from self.step(chain, at + 1, found, inner, self.path.lax)
        else:
            # A predicate as a value: unknown is null.
            yield from self.step(
                chain, at + 1, self.predicate(item, value, scope), scope, self.path.lax
            )

    def unwrapped(self, chain: Chain, value: Any, scope: Scope) -> list[Any]:
        found = []
        for item in self.run(chain, value, scope):
            if self.path.lax and isinstance(item, list):
                found += item
            else:
                found.append(item)
        return found

    # --- predicates

    def predicate(self, item: Item, value: Any, scope: Scope) -> bool | None:
        match item.kind, item.value:
            case "binary", "&&":
                left = self.of_chain(item.args[0], value, scope)
                if left is False:
                    return False
                right = self.of_chain(item.args[1], value, scope)
                return left if right is True else right
            case "binary", "||":
                left = self.of_chain(item.args[0], value, scope)
                if left is True:
                    return True
                right = self.of_chain(item.args[1], value, scope)
                return left if right is False else right
            case "not", _:
                known = self.of_chain(item.args[0], value, scope)
                return None if known is None else not known
            case "unknown", _:
                return self.of_chain(item.args[0], value, scope) is None
            case "exists", _:
                return self.exists(item.args[0], value, scope)
            case _:
                return self.pairs(item, value, scope)

    def of_chain(self, chain: Chain, value: Any, scope: Scope) -> bool | None:
        return self.predicate(chain[0], value, scope)

    def exists(self, chain: Chain, value: Any, scope: Scope) -> bool | None:
        found = False
        try:
            for _ in self.run(chain, value, scope):
                found = True
                if self.path.lax:
                    break
        except Unfit:
            return None
        return found

    def pairs(self, item: Item, value: Any, scope: Scope) -> bool | None:
        """A comparison of all left items with all right ones."""
        try:
            lefts = self.unwrapped(item.args[0], value, scope)
            rights: list[Any] = [None]
            if item.value == "starts with":
                rights = list(self.run(item.args[1], value, scope))
            elif item.kind == "binary":
                rights = self.unwrapped(item.args[1], value, scope)
        except Unfit:
            return None
        test = self.test_of(item)
        found = unknown = False
        for left in lefts:
            for right in rights:
                self.steps += 1
                if self.steps > STEPS_MAX:
                    raise SqlError("54001", "the jsonpath looks at too many items")
                outcome = test(left, right)
                if outcome is None:
                    if not self.path.lax:
                        return None
                    unknown = True
                elif outcome:
                    if self.path.lax:
                        return True
                    found = True
        return True if found else None if unknown else False

    def test_of(self, item: Item) -> Any:
        if item.kind == "like_regex":
            pattern = regex_of(*item.value)
            return lambda left, _: pattern.test(left) if isinstance(left, str) else None
        if item.value == "starts with":
            return _starts_with
        operator = item.value
        return lambda left, right: self.compare(operator, left, right)

    def compare(self, operator: str, left: Any, right: Any) -> bool | None:
        kind, other = kind_of(left), kind_of(right)
        if jd.is_datetime(left) and jd.is_datetime(right):
            order = jd.compare(left, right, self.zoned, self.settings)
            return None if order is None else _ORDERS[operator](order, 0)
        if kind != other:
            # Nothing but != holds between null and what is not null.
            return operator == "!=" if "null" in (kind, other) else None
        if kind in ("object", "array"):
            return None
        return bool(_ORDERS[operator](0, 0) if left is None else _ORDERS[operator](left, right))


def _starts_with(left: Any, right: Any) -> bool | None:
    if isinstance(left, str) and isinstance(right, str):
        return left.startswith(right)
    return None


_ORDERS: Final[dict[str, Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def regex_of(pattern: str, flags: str) -> Regex:
    """The regular expression of like_regex: XQuery's flags in PostgreSQL's letters."""
    options = "i" if "i" in flags else ""
    if "q" in flags:
        return compile_regex(pattern, options + "q")
    newlines = {"": "p", "s": "", "m": "n", "sm": "w"}
    return compile_regex(pattern, options + newlines["".join(c for c in "sm" if c in flags)])


def kind_of(value: Any) -> str:
    """What type() says."""
    return jd.type_name(value) if jd.is_datetime(value) else json_kind(value)


# --- items: each handler gives (value, scope of what follows)

Found = Iterator[tuple[Any, Scope]]


def _root(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    yield run.root, replace(scope, base=(run.root, 0))


def _current(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    yield scope.current, scope


def _literal(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    yield item.value, scope


def _variable(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    if run.variables is None:
        yield None, scope
        return
    if item.value not in run.variables:
        raise SqlError("42704", f'could not find jsonpath variable "{item.value}"')
    yield run.variables[item.value], replace(scope, base=(run.variables, 1))


def _last(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    yield Decimal(scope.last - 1), scope


def _key(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    if isinstance(value, dict):
        if item.value in value:
            yield value[item.value], scope
        elif not scope.lenient:
            raise Unfit("2203A", f'JSON object does not contain key "{item.value}"')
    elif not scope.lenient:
        raise Unfit("2203A", "jsonpath member accessor can only be applied to an object")


def _any_key(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    if isinstance(value, dict):
        yield from ((found, scope) for found in _members(value))
    elif not scope.lenient:
        raise Unfit("2203C", "jsonpath wildcard member accessor can only be applied to an object")


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value, key=_key_order)]
    return value if isinstance(value, list) else []


def _key_order(key: str) -> tuple[int, bytes]:
    encoded = key.encode()
    return len(encoded), encoded


def _any_array(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    if isinstance(value, list):
        yield from ((found, scope) for found in value)
    elif run.path.lax:
        yield value, scope
    elif not scope.lenient:
        raise Unfit("22039", "jsonpath wildcard array accessor can only be applied to an array")


def _index(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    if not isinstance(value, list) and not run.path.lax:
        if not scope.lenient:
            raise Unfit("22039", "jsonpath array accessor can only be applied to an array")
        return
    elements = value if isinstance(value, list) else [value]
    inner = replace(scope, last=len(elements))
    for first_chain, last_chain in item.value:
        first = _subscript(run, first_chain, value, inner)
        last = first if last_chain is None else _subscript(run, last_chain, value, inner)
        if not scope.lenient and (first < 0 or first > last or last >= len(elements)):
            raise Unfit("22033", "jsonpath array subscript is out of bounds")
        for found in elements[max(first, 0) : max(last + 1, 0)]:
            yield found, scope


def _subscript(run: Evaluation, chain: Chain, value: Any, scope: Scope) -> int:
    found = list(run.run(chain, value, scope))
    if len(found) != 1 or not isinstance(found[0], Decimal):
        raise Unfit("22033", "jsonpath array subscript is not a single numeric value")
    index = int(found[0])
    if not -(1 << 31) <= index < 1 << 31:
        raise Unfit("22033", "jsonpath array subscript is out of integer range")
    return index


def _any(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    first, last = item.value
    lenient = replace(scope, lenient=True)
    if first == 0:
        yield value, lenient
    yield from ((found, lenient) for found in _below(value, 1, first, last))


def _below(value: Any, level: int, first: int, last: int) -> Iterator[Any]:
    if level > last:
        return
    leaves_only = first == last == LAST_LEVEL
    for found in _members(value):
        container = isinstance(found, dict | list)
        if level >= first or (leaves_only and not container):
            yield found
        if level < last and container:
            yield from _below(found, level + 1, first, last)


def _filter(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    if run.of_chain(item.args[0], value, replace(scope, current=value)) is True:
        yield value, scope


def _unary(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    for found in run.unwrapped(item.args[0], value, scope):
        if not isinstance(found, Decimal):
            raise Unfit(
                "2203B", f"operand of unary jsonpath operator {item.value} is not a numeric value"
            )
        yield (nm.negate(found) if item.value == "-" else found), scope


_ARITHMETIC: Final[dict[str, Any]] = {
    "+": nm.add,
    "-": nm.subtract,
    "*": nm.multiply,
    "/": nm.divide,
    "%": nm.remainder,
}


def _binary(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    if item.value not in _ARITHMETIC:
        yield run.predicate(item, value, scope), scope
        return
    operands = [run.unwrapped(chain, value, scope) for chain in item.args]
    for side, found in zip(("left", "right"), operands, strict=True):
        if len(found) != 1 or not isinstance(found[0], Decimal):
            raise Unfit(
                "22038",
                f"{side} operand of jsonpath operator {item.value} is not a single numeric value",
            )
    try:
        result = _ARITHMETIC[item.value](operands[0][0], operands[1][0])
    except SqlError as error:
        raise Unfit(error.sqlstate, error.message) from None
    yield result, scope


def _method(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    match item.value:
        case "type":
            yield kind_of(value), scope
        case "size":
            if isinstance(value, list):
                yield Decimal(len(value)), scope
            elif run.path.lax:
                yield Decimal(1), scope
            elif not scope.lenient:
                raise _only("size", "an array", "22039")
        case "double":
            yield _double(value), scope
        case "keyvalue":
            yield from _key_value(run, value, scope)
        case name:
            if not isinstance(value, Decimal):
                raise _only(name, "a numeric value", "22036")
            yield _ROUNDING[name](value), scope


_ROUNDING: Final[dict[str, Any]] = {
    "abs": nm.absolute,
    "floor": nm.floor,
    "ceiling": nm.ceiling,
}


def _only(name: str, what: str, sqlstate: str) -> Unfit:
    return Unfit(sqlstate, f"jsonpath item method .{name}() can only be applied to {what}")


def _double(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        try:
            text_io.parse(FLOAT8, numeric.render(value))
        except SqlError:
            raise Unfit(
                "22036",
                "numeric argument of jsonpath item method .double() is out of range for type double precision",
            ) from None
        return value
    if not isinstance(value, str):
        raise _only("double", "a string or numeric value", "22036")
    try:
        number = numeric.from_float(text_io.parse(FLOAT8, value), 15)
    except SqlError:
        number = numeric.NAN
    if not number.is_finite():
        raise Unfit(
            "22036",
            "string argument of jsonpath item method .double() is not a valid representation of a double precision number",
        )
    return number


def _key_value(run: Evaluation, value: Any, scope: Scope) -> Found:
    if not isinstance(value, dict):
        raise _only("keyvalue", "an object", "2203C")
    base, number = scope.base
    offset = container_offsets(base).get(id(value), 0)
    identity = Decimal(number * 10_000_000_000 + offset)
    for key in sorted(value, key=_key_order):
        pair = {"key": key, "value": value[key], "id": identity}
        run.generated += 1
        yield pair, replace(scope, base=(pair, run.generated))


def _datetime(run: Evaluation, item: Item, value: Any, scope: Scope) -> Found:
    if not isinstance(value, str):
        raise _only("datetime", "a string", "22031")
    if item.value is not None:
        raise SqlError("0A000", "a template of jsonpath's datetime() is not supported")
    found = jd.parse(value)
    if found is None:
        raise Unfit(
            "22031",
            f'datetime format is not recognized: "{value}"',
            hint="Use a datetime template argument to specify the input data format.",
        )
    yield found, scope


_HANDLERS: Final[dict[str, Any]] = {
    "root": _root,
    "current": _current,
    "last": _last,
    "variable": _variable,
    "key": _key,
    "any_key": _any_key,
    "any_array": _any_array,
    "index": _index,
    "any": _any,
    "filter": _filter,
    "unary": _unary,
    "binary": _binary,
    "method": _method,
    "datetime": _datetime,
    **dict.fromkeys(("null", "bool", "numeric", "string"), _literal),
}


def _wants_no_array(item: Item) -> bool:
    if item.kind == "method":
        return item.value not in ("type", "size")
    return item.kind in ("key", "any_key", "filter", "datetime")


def as_json(value: Any) -> str:
    """An item as jsonb's text; dates and times are strings."""
    return dump(_plain(value))


def _plain(value: Any) -> Any:
    # A date cannot be within a container: keyvalue() only holds what the document had.
    return jd.render(value) if jd.is_datetime(value) else value
