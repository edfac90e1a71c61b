"""Expressions to Python source.

`Generator` turns each expression into *fragments*, strings of Python that are always atoms or in
parentheses, bottom-up and without recursion. A fragment has three forms:

- `value`: True, False, None or any SQL value;
- `truth`: truthy exactly when the value is TRUE (what WHERE asks);
- `falsity`: truthy exactly when the value is FALSE (what NOT asks).

A fragment that has grown deep is moved into a helper function of its own, so that no generated
expression is deep, whatever the user wrote. Temporaries are locals of whichever function they land
in; a CASE's operand is handed to helpers as an argument.

Generated source holds numbers and names made here, never text from users: constants and functions
live in the namespace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import ir, runtime
from trilithon.expression.coercion import caster
from trilithon.expression.functions import get_function
from trilithon.expression.registry import INLINE_NAMES, bind
from trilithon.types.ordering import sort_key
from trilithon.types.registry import TypeRef
from trilithon.types.values import RecordValue

# Levels of an expression's tree.
DEPTH_MAX: Final = 5_000
# Helpers that call helpers: Python frames at run time, of the 1,000 that there are.
CALLS_MAX: Final = 400
# Python's own parser gives up at about 100 levels of parentheses; a level here may take several.
_HELPER_DEPTH: Final = 40
# Chains (CASE, COALESCE) nest to the right in Python's grammar.
_CHAIN: Final = 16

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


@dataclass(slots=True)
class Fragment:
    """`depth`: nested parentheses, roughly. `raises`: evaluating it may fail or matters otherwise,
    so that it must not be skipped. `atomic`: repeating it costs next to nothing. `free`: the
    temporaries of the function around that it reads. `calls`: nested helpers at run time."""

    value: str
    nullable: bool = True
    depth: int = 0
    raises: bool = False
    atomic: bool = False
    free: frozenset[str] = frozenset()
    calls: int = 0
    truth: str = ""
    falsity: str = ""

    def __post_init__(self) -> None:
        self.truth = self.truth or self.value
        self.falsity = self.falsity or (
            f"({self.value} is False)" if self.nullable else f"(not {self.value})"
        )


@dataclass(slots=True)
class Generator:
    """Collects the helpers and the namespace of one compiled plan."""

    namespace: dict[str, Any] = field(default_factory=dict)
    helpers: list[str] = field(default_factory=list)
    _names: int = 0

    def name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def keep(self, value: Any, prefix: str = "k") -> str:
        """The name of a constant or a function in the generated module."""
        name = self.name(prefix)
        self.namespace[name] = value
        return name

    def generate(self, root: ir.Expr) -> Fragment:
        """Raises SqlError 54001 for an expression that is nested too deep."""
        done: list[Fragment] = []
        # (node, the temporary that holds the operand of the CASE around, entered, level)
        stack: list[tuple[ir.Expr, str, bool, int]] = [(root, "", False, 0)]
        while stack:
            node, operand, entered, level = stack.pop()
            children = node.children()
            if not entered:
                if level > DEPTH_MAX:
                    raise _too_deep()
                inner = operand
                if isinstance(node, ir.Case) and node.operand is not None:
                    inner = self.name("c")
                stack.append((node, inner, True, level))
                for number in range(len(children) - 1, -1, -1):
                    # The operand itself belongs to the CASE around this one.
                    outer = operand if number == 0 and inner != operand else inner
                    stack.append((children[number], outer, False, level + 1))
                continue
            count = len(children)
            fragments = done[len(done) - count :]
            del done[len(done) - count :]
            fragment = _EMIT[type(node)](self, node, fragments, operand)
            fragment.calls = max(fragment.calls, *(f.calls for f in fragments), 0)
            done.append(self._shallow(fragment))
        return done[0]

    def _shallow(self, fragment: Fragment) -> Fragment:
        """Move a fragment that has grown deep, or long, into a helper."""
        if fragment.depth <= _HELPER_DEPTH:
            return fragment
        return self.helper(fragment)

    def helper(self, fragment: Fragment) -> Fragment:
        if fragment.calls >= CALLS_MAX:
            raise _too_deep()
        name = self.name("h")
        arguments = "".join(f", {free}" for free in sorted(fragment.free))
        self.helpers.append(
            f"def {name}(row, ctx{arguments}):\n    P = ctx.parameters\n"
            f"    return {fragment.value}\n"
        )
        return Fragment(
            f"{name}(row, ctx{arguments})",
            fragment.nullable,
            1,
            fragment.raises,
            free=fragment.free,
            calls=fragment.calls + 1,
        )

    def call(
        self,
        template: str,
        arguments: Sequence[Fragment],
        *,
        strict: bool,
        raises: bool,
        nullable: bool,
        boolean: bool = False,
    ) -> Fragment:
        """A call by `template` ({0}, {1}, … the arguments; {t} a scratch name).

        Every argument is evaluated before the first NULL decides, as in PostgreSQL, unless skipping
        it cannot be noticed.
        """
        free, depth, any_raises = _join(arguments)
        names: dict[str, str] = {"t": self.name("t")} if "{t}" in template else {}
        nullable_count = sum(argument.nullable for argument in arguments) if strict else 0
        bindings: list[str] = []
        eager = False
        for number, argument in enumerate(arguments):
            must_not_be_skipped = nullable_count > 0 and argument.raises
            if strict and (argument.nullable or must_not_be_skipped):
                bound = self.name("t")
                eager = eager or (bool(bindings) and argument.raises)
                bindings.append(f"({bound} := {argument.value})")
                names[str(number)] = bound
            else:
                names[str(number)] = argument.value
        body = _PLACEHOLDER.sub(lambda match: names[match.group(1)], template)
        raises = raises or any_raises
        calls = max((argument.calls for argument in arguments), default=0)
        if not bindings:
            return Fragment(f"({body})", nullable, depth + 1, raises, free=free, calls=calls)
        if eager:
            condition = " | ".join(f"({binding} is None)" for binding in bindings)
        else:
            condition = " or ".join(f"{binding} is None" for binding in bindings)
        fragment = Fragment(
            f"(None if {condition} else {body})", True, depth + 2, raises, free=free, calls=calls
        )
        if boolean and not nullable and not eager:
            known = " and ".join(f"{binding} is not None" for binding in bindings)
            fragment.truth = f"({known} and {body})"
            fragment.falsity = f"({known} and not {body})"
        return fragment


def _too_deep() -> SqlError:
    return SqlError(
        "54001", "stack depth limit exceeded", hint="The expression is nested too deep."
    )


Emit = Callable[[Generator, Any, list[Fragment], str], Fragment]
_EMIT: dict[type[ir.Expr], Emit] = {}


def _emits(node: type[ir.Expr]) -> Callable[[Emit], Emit]:
    def decorate(emit: Emit) -> Emit:
        _EMIT[node] = emit
        return emit

    return decorate


def _join(parts: Sequence[Fragment]) -> tuple[frozenset[str], int, bool]:
    return (
        frozenset().union(*(part.free for part in parts)),
        max((part.depth for part in parts), default=0),
        any(part.raises for part in parts),
    )


@_emits(ir.Column)
def _column(generator: Generator, node: ir.Column, _: list[Fragment], __: str) -> Fragment:
    return Fragment(f"row[{int(node.index)}]", node.nullable, atomic=True)


@_emits(ir.Parameter)
def _parameter(generator: Generator, node: ir.Parameter, _: list[Fragment], __: str) -> Fragment:
    return Fragment(f"P[{int(node.number) - 1}]", atomic=True)


@_emits(ir.Constant)
def _constant(generator: Generator, node: ir.Constant, _: list[Fragment], __: str) -> Fragment:
    value = node.value
    if value is None or value is True or value is False:
        return Fragment(repr(value), value is None, atomic=True)
    if type(value) is int:
        return Fragment(f"({value:d})" if value < 0 else f"{value:d}", False, atomic=True)
    return Fragment(generator.keep(value), False, atomic=True)


@_emits(ir.CaseOperand)
def _case_operand(_: Generator, node: ir.CaseOperand, __: list[Fragment], operand: str) -> Fragment:
    if not operand:
        raise SqlError("XX000", "a CASE operand stands outside its CASE")
    return Fragment(operand, atomic=True, free=frozenset((operand,)))


@_emits(ir.Call)
def _call(generator: Generator, node: ir.Call, arguments: list[Fragment], _: str) -> Fragment:
    entry = get_function(node.function)
    template = entry.inline
    if not template or _repeats_costly(template, arguments, entry.strict):
        template = _plain_call(generator, entry.id, node, len(arguments))
    else:
        generator.namespace.update(
            (name, INLINE_NAMES[name])
            for name in re.findall(r"[A-Za-z_]\w*", template)
            if name in INLINE_NAMES
        )
    return generator.call(
        template,
        arguments,
        strict=entry.strict,
        raises=entry.raises or entry.volatility == "volatile",
        nullable=entry.nullable or not entry.strict,
        boolean=entry.result == 16,
    )


def _repeats_costly(template: str, arguments: Sequence[Fragment], strict: bool) -> bool:
    """A non-strict template must not evaluate an argument twice; strict ones bind it."""
    if strict:
        return any(
            template.count(f"{{{number}}}") != 1 and not argument.nullable and not argument.atomic
            for number, argument in enumerate(arguments)
        )
    return any(
        template.count(f"{{{number}}}") != 1 and not argument.atomic
        for number, argument in enumerate(arguments)
    )


def _plain_call(generator: Generator, function_id: str, node: ir.Call, count: int) -> str:
    entry = get_function(function_id)
    types = tuple(argument.type for argument in node.args)
    name = generator.keep(bind(entry, types, node.type), "f")
    slots = [f"{{{number}}}" for number in range(count)]
    return f"{name}({', '.join((['ctx'] if entry.context else []) + slots)})"


@_emits(ir.Cast)
def _cast(generator: Generator, node: ir.Cast, arguments: list[Fragment], _: str) -> Fragment:
    (argument,) = arguments
    step = caster(node.arg.type, node.type, node.explicit)
    if step is None:
        return argument
    name = generator.keep(step.call, "f")
    template = f"{name}(ctx, {{0}})" if step.context else f"{name}({{0}})"
    if step.inline:
        template = step.inline
        generator.namespace.update(
            (name, INLINE_NAMES[name])
            for name in re.findall(r"[A-Za-z_]\w*", template)
            if name in INLINE_NAMES
        )
        if _repeats_costly(template, arguments, True):
            template = f"{name}({{0}})"
    return generator.call(
        template,
        arguments,
        strict=True,
        raises=True,
        nullable=step.nullable,
        boolean=node.type.oid == 16,
    )


@_emits(ir.And)
def _and(generator: Generator, node: ir.And, parts: list[Fragment], _: str) -> Fragment:
    return _logical(generator, parts, "and")


@_emits(ir.Or)
def _or(generator: Generator, node: ir.Or, parts: list[Fragment], _: str) -> Fragment:
    return _logical(generator, parts, "or")


def _logical(generator: Generator, parts: list[Fragment], word: str) -> Fragment:
    """AND is FALSE as soon as one is, OR is TRUE as soon as one is; else NULL if any was."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Fragment("True" if word == "and" else "False", False, atomic=True)
    free, depth, raises = _join(parts)
    other = "or" if word == "and" else "and"
    truth = "(" + f" {word} ".join(part.truth for part in parts) + ")"
    falsity = "(" + f" {other} ".join(part.falsity for part in parts) + ")"
    if not any(part.nullable for part in parts):
        value = "(" + f" {word} ".join(part.value for part in parts) + ")"
        return Fragment(value, False, depth + 1, raises, free=free, truth=truth, falsity=falsity)
    decisive = "False" if word == "and" else "True"
    neutral = "True" if word == "and" else "False"
    tests: list[str] = []
    nulls: list[str] = []
    for part in parts:
        if part.nullable:
            bound = generator.name("t")
            tests.append(f"({bound} := {part.value}) is {decisive}")
            nulls.append(f"{bound} is None")
        else:
            tests.append(f"(not {part.value})" if word == "and" else part.value)
    value = f"({decisive} if {' or '.join(tests)} else None if {' or '.join(nulls)} else {neutral})"
    return Fragment(value, True, depth + 2, raises, free=free, truth=truth, falsity=falsity)


@_emits(ir.Not)
def _not(generator: Generator, node: ir.Not, parts: list[Fragment], _: str) -> Fragment:
    (part,) = parts
    if not part.nullable:
        value = f"(not {part.value})"
    else:
        bound = generator.name("t")
        value = f"(None if ({bound} := {part.value}) is None else not {bound})"
    return Fragment(
        value,
        part.nullable,
        part.depth + 1,
        part.raises,
        free=part.free,
        truth=part.falsity,
        falsity=part.truth,
    )


@_emits(ir.IsNull)
def _is_null(generator: Generator, node: ir.IsNull, parts: list[Fragment], _: str) -> Fragment:
    (part,) = parts
    if part.atomic and not part.nullable:
        return Fragment("True" if node.negated else "False", False, atomic=True)
    test = "is not None" if node.negated else "is None"
    return Fragment(f"({part.value} {test})", False, part.depth + 1, part.raises, free=part.free)


@_emits(ir.BooleanTest)
def _boolean_test(
    generator: Generator, node: ir.BooleanTest, parts: list[Fragment], _: str
) -> Fragment:
    (part,) = parts
    test = "is not" if node.negated else "is"
    value = f"({part.value} {test} {node.expected is True if node.expected is not None else None})"
    return Fragment(value, False, part.depth + 1, part.raises, free=part.free)


def _comparison(generator: Generator, node: ir.IsDistinct | ir.NullIf) -> str:
    """The name of a strict boolean function of two arguments (and of ctx, where it wants it)."""
    entry = get_function(node.equal)
    # What is declared may be a pseudotype: arrays compare by their elements' type.
    types = node.left.type, node.right.type
    name = generator.keep(bind(entry, types, TypeRef(entry.result)), "f")
    return f"{name}(ctx, {{}}, {{}})" if entry.context else f"{name}({{}}, {{}})"


@_emits(ir.IsDistinct)
def _is_distinct(
    generator: Generator, node: ir.IsDistinct, parts: list[Fragment], _: str
) -> Fragment:
    free, depth, raises = _join(parts)
    left, right = generator.name("t"), generator.name("t")
    equal = _comparison(generator, node).format(left, right)
    bind_right = f"({right} := {parts[1].value})"
    # Both sides are evaluated before either decides.
    pair = f"(({left} := {parts[0].value}) is None) | ({bind_right} is None)"
    same = f"({left} is {right} if {pair} else {equal})"
    value = same if node.negated else f"(not {same})"
    return Fragment(value, False, depth + 3, raises, free=free)


@_emits(ir.NullIf)
def _null_if(generator: Generator, node: ir.NullIf, parts: list[Fragment], _: str) -> Fragment:
    free, depth, raises = _join(parts)
    left, right = generator.name("t"), generator.name("t")
    equal = _comparison(generator, node).format(left, right)
    pair = f"(({left} := {parts[0].value}) is None) | (({right} := {parts[1].value}) is None)"
    return Fragment(
        f"({left} if {pair} else None if {equal} else {left})", True, depth + 3, raises, free=free
    )


@_emits(ir.Case)
def _case(generator: Generator, node: ir.Case, parts: list[Fragment], operand: str) -> Fragment:
    rest = list(parts)
    subject = rest.pop(0) if node.operand is not None else None
    last = rest.pop() if node.otherwise is not None else Fragment("None", True, atomic=True)
    branches = list(zip(rest[0::2], rest[1::2], strict=True))
    result = last
    for start in range((len(branches) - 1) // _CHAIN * _CHAIN, -1, -_CHAIN):
        chunk = branches[start : start + _CHAIN]
        members = [part for pair in chunk for part in pair] + [result]
        free, depth, raises = _join(members)
        text = "".join(f"{then.value} if {when.truth} else " for when, then in chunk)
        result = Fragment(
            f"({text}{result.value})",
            any(part.nullable for _, part in chunk) or result.nullable,
            depth + 1,
            raises,
            free=free,
        )
        if start:
            result = generator.helper(result)
    if subject is None:
        return result
    # Bind the operand first; the tuple's second element is the result.
    return Fragment(
        f"(({operand} := {subject.value}), {result.value})[1]",
        result.nullable,
        max(subject.depth, result.depth) + 2,
        subject.raises or result.raises,
        free=(result.free - {operand}) | subject.free,
    )


@_emits(ir.Coalesce)
def _coalesce(generator: Generator, node: ir.Coalesce, parts: list[Fragment], _: str) -> Fragment:
    for number, part in enumerate(parts):
        if not part.nullable:
            del parts[number + 1 :]
            break
    result = parts.pop()
    for start in range((len(parts) - 1) // _CHAIN * _CHAIN, -1, -_CHAIN):
        chunk = parts[start : start + _CHAIN]
        free, depth, raises = _join([*chunk, result])
        text = ""
        for part in chunk:
            bound = generator.name("t")
            text += f"{bound} if ({bound} := {part.value}) is not None else "
        result = Fragment(f"({text}{result.value})", result.nullable, depth + 1, raises, free=free)
        if start:
            result = generator.helper(result)
    return result


def _variadic(
    generator: Generator, call: str, parts: list[Fragment], *, nullable: bool = True
) -> Fragment:
    """A runtime helper that gets all parts as one tuple."""
    free, depth, _raises = _join(parts)
    items = "".join(f"{part.value}, " for part in parts)
    return Fragment(f"{call}(({items}))", nullable, depth + 2, True, free=free)


@_emits(ir.MinMax)
def _min_max(generator: Generator, node: ir.MinMax, parts: list[Fragment], _: str) -> Fragment:
    entry = get_function(node.less)
    less = bind(entry, tuple(map(TypeRef, entry.arguments)), TypeRef(entry.result))
    fragment = _variadic(
        generator,
        generator.keep(runtime.extreme(less, node.greatest, entry.context), "f"),
        parts,
        nullable=all(part.nullable for part in parts),
    )
    return _with_context(fragment, entry.context)


def _with_context(fragment: Fragment, wanted: bool) -> Fragment:
    if wanted:
        fragment.value = fragment.value.replace("((", "(ctx, (", 1)
        fragment.truth = fragment.value
        fragment.falsity = f"({fragment.value} is False)"
    return fragment


@_emits(ir.InSet)
def _in_set(generator: Generator, node: ir.InSet, parts: list[Fragment], _: str) -> Fragment:
    key = sort_key(node.arg.type.oid)
    known = [value for value in node.values if value is not None]
    members = generator.keep(frozenset(known if key is None else map(key, known)))
    subject = "{0}" if key is None else f"{generator.keep(key, 'f')}({{0}})"
    has_null = len(known) < len(node.values)
    if has_null:
        found, missing = ("False", "None") if node.negated else ("True", "None")
        template = f"{found} if {subject} in {members} else {missing}"
    else:
        template = f"{subject} {'not in' if node.negated else 'in'} {members}"
    return generator.call(
        f"({template})", parts, strict=True, raises=False, nullable=has_null, boolean=True
    )


@_emits(ir.AnyAll)
def _any_all(generator: Generator, node: ir.AnyAll, parts: list[Fragment], _: str) -> Fragment:
    entry = get_function(node.function)
    compare = bind(entry, tuple(map(TypeRef, entry.arguments)), TypeRef(entry.result))
    check = runtime.any_all(compare, node.all, entry.strict, entry.context)
    name = generator.keep(check, "f")
    free, depth, _raises = _join(parts)
    context = "ctx, " if entry.context else ""
    return Fragment(
        f"{name}({context}{parts[0].value}, {parts[1].value})", True, depth + 1, True, free=free
    )


@_emits(ir.ArrayLiteral)
def _array(generator: Generator, node: ir.ArrayLiteral, parts: list[Fragment], _: str) -> Fragment:
    build = runtime.nested_array if node.nested else runtime.flat_array
    return _variadic(generator, generator.keep(build, "f"), parts, nullable=False)


@_emits(ir.Subscript)
def _subscript(generator: Generator, node: ir.Subscript, parts: list[Fragment], _: str) -> Fragment:
    return _variadic(generator, generator.keep(runtime.subscript, "f"), parts)


@_emits(ir.Slice)
def _slice(generator: Generator, node: ir.Slice, parts: list[Fragment], _: str) -> Fragment:
    return _variadic(generator, generator.keep(runtime.slicer(node.open), "f"), parts)


@_emits(ir.Row)
def _row(generator: Generator, node: ir.Row, parts: list[Fragment], _: str) -> Fragment:
    types = tuple(argument.type.oid for argument in node.args)
    make = generator.keep(lambda fields: RecordValue.of(fields, types), "f")
    return _variadic(generator, make, parts, nullable=False)


@_emits(ir.NamedRow)
def _named_row(generator: Generator, node: ir.NamedRow, parts: list[Fragment], _: str) -> Fragment:
    types = tuple(argument.type.oid for argument in node.args)
    names = node.names
    make = generator.keep(lambda fields: RecordValue.of(fields, types, names), "f")
    return _variadic(generator, make, parts, nullable=False)


@_emits(ir.Field)
def _field(generator: Generator, node: ir.Field, parts: list[Fragment], _: str) -> Fragment:
    template = f"{{0}}[{int(node.position)}]"
    return generator.call(template, parts, strict=True, raises=False, nullable=True)


@_emits(ir.RowIsNull)
def _row_is_null(
    generator: Generator, node: ir.RowIsNull, parts: list[Fragment], _: str
) -> Fragment:
    (part,) = parts
    name = generator.keep(runtime.row_is_not_null if node.negated else runtime.row_is_null, "f")
    return Fragment(f"{name}({part.value})", False, part.depth + 1, part.raises, free=part.free)


@_emits(ir.RowCompare)
def _row_compare(
    generator: Generator, node: ir.RowCompare, parts: list[Fragment], _: str
) -> Fragment:
    def bound(function_id: str) -> tuple[Callable[..., Any], bool]:
        entry = get_function(function_id)
        types = tuple(map(TypeRef, entry.arguments))
        return bind(entry, types, TypeRef(entry.result)), entry.context

    equals = [bound(function_id) for function_id in node.equals]
    compares = [bound(function_id) for function_id in node.compares]
    compare = runtime.row_compare(equals, compares, node.operator in ("<=", ">="))
    name = generator.keep(compare, "f")
    return _with_context(_variadic(generator, name, parts), True)
