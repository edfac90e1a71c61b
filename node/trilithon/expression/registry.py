"""Where functions, operators, casts and aggregates are registered.

A module of `builtins/` (and, for session functions, the query processor) decorates plain Python
functions over in-memory values:

    @function("lpad(text, int4, text) -> text")
    @operator("int4 + int4 -> int4", inline=INT4_ADD)
    @cast("int4 -> bool", EXPLICIT)

The id of a function is its signature without the result: "lpad(text,int4,text)", "int4 + int4",
"- int4", "int4 :: bool". Ids travel between processes, so they never change meaning.

`inline` is a Python expression that does the same: {0}, {1} … stand for the arguments, {t} for a
scratch name; other names come from INLINE_NAMES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from trilithon.core.invariant import require
from trilithon.types.registry import BY_NAME, TypeRef

Implementation = Callable[..., Any]
Decorated = TypeVar("Decorated", bound=Callable[..., Any])

IMMUTABLE, STABLE, VOLATILE = "immutable", "stable", "volatile"
IMPLICIT, ASSIGNMENT, EXPLICIT = "implicit", "assignment", "explicit"


@dataclass(frozen=True, slots=True)
class Function:
    """One implementation with one signature.

    `strict`: NULL in, NULL out, without a call. `context`: the EvalContext comes as first argument.
    `typed`: `call` is a factory that gets (argument types, result type) and gives the function.
    `raises`: may fail for some values. `nullable`: may give NULL though no argument is NULL.
    `variadic`: the last argument type stands for any number of arguments, but one at least.
    `returns_set`: gives an iterable of values (generate_series); with `columns`, (name, type oid), of
    tuples of that shape, and `result` is record.
    """

    id: str
    name: str
    arguments: tuple[int, ...]
    result: int
    call: Implementation
    strict: bool = True
    volatility: str = IMMUTABLE
    context: bool = False
    typed: bool = False
    raises: bool = True
    nullable: bool = False
    variadic: bool = False
    returns_set: bool = False
    columns: tuple[tuple[str, int], ...] = ()
    inline: str = ""

    @property
    def is_operator(self) -> bool:
        return " " in self.id and "::" not in self.id


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function. The executor groups, filters, sorts and removes duplicates.

    `init()` makes a state; `step(state, *values)` gives the next one (it may be the same object);
    `step_many(state, values)` does a whole list for aggregates of one argument; `final(state)` gives
    the value. `strict` aggregates never see NULL in `step`; `step_many` leaves NULLs out by itself.
    `merge(left, right)` joins two states, None where that is impossible. `typed` gives (step, final)
    for the argument types; `functions.resolve_aggregate` answers with them in their places. `context`:
    `final(ctx, state)` looks at the EvalContext; `finish` calls either kind. `within_group`: it wants its
    rows in the order of its last argument, and is called WITHIN GROUP only.
    """

    id: str
    name: str
    arguments: tuple[int, ...]
    result: int
    init: Callable[[], Any]
    step: Callable[..., Any]
    final: Callable[..., Any]
    step_many: Callable[[Any, Sequence[Any]], Any]
    merge: Callable[[Any, Any], Any] | None = None
    strict: bool = True
    variadic: bool = False
    volatility: str = IMMUTABLE
    context: bool = False
    within_group: bool = False
    typed: Callable[[tuple[TypeRef, ...]], tuple[Callable[..., Any], Callable[..., Any]]] | None = (
        None
    )

    def finish(self, state: Any, ctx: Any) -> Any:
        """The value; the state stays as it is, so that more may be added."""
        return self.final(ctx, state) if self.context else self.final(state)

    def specialised(self, arguments: Sequence[TypeRef]) -> Aggregate:
        """This aggregate for these argument types."""
        if self.typed is None:
            return self
        step, final = self.typed(tuple(arguments))
        return replace(
            self, step=step, final=final, step_many=stepping(step, self.strict), typed=None
        )


def stepping(step: Callable[..., Any], strict: bool) -> Callable[[Any, Sequence[Any]], Any]:
    """A `step_many` out of a `step`."""

    def each(state: Any, values: Sequence[Any]) -> Any:
        for value in values:
            if value is not None or not strict:
                state = step(state, value)
        return state

    return each


@dataclass(frozen=True, slots=True)
class CastEntry:
    """One row of pg_cast; `function` is empty for a cast that keeps the value as it is."""

    source: int
    target: int
    context: str
    function: str


FUNCTIONS: Final[dict[str, Function]] = {}
FUNCTIONS_BY_NAME: Final[dict[str, list[Function]]] = {}
OPERATORS_BY_NAME: Final[dict[str, list[Function]]] = {}
AGGREGATES: Final[dict[str, Aggregate]] = {}
AGGREGATES_BY_NAME: Final[dict[str, list[Aggregate]]] = {}
CASTS: Final[dict[tuple[int, int], CastEntry]] = {}
INLINE_NAMES: Final[dict[str, Any]] = {}

_CALL: Final = re.compile(r"(\w+)\(([^)]*)\)\s*->\s*(.+)")
_BINARY: Final = re.compile(r"(\S+) (\S+) (\S+) -> (\S+)")
_UNARY: Final = re.compile(r"(\S+) (\S+) -> (\S+)")


def type_oid(name: str) -> int:
    """The oid of an internal type name; "int4[]" is the array."""
    info = BY_NAME.get("_" + name[:-2] if name.endswith("[]") else name)
    require(info is not None, f"a signature names a known type, not {name}")
    assert info is not None
    return info.oid


def register(entry: Function) -> None:
    require(entry.id not in FUNCTIONS, f"one function per id: {entry.id}")
    FUNCTIONS[entry.id] = entry
    if "::" in entry.id:
        return
    names = OPERATORS_BY_NAME if entry.is_operator else FUNCTIONS_BY_NAME
    names.setdefault(entry.name, []).append(entry)


def function(signature: str, **flags: Any) -> Callable[[Decorated], Decorated]:
    """Register under "name(type, …) -> type"; a set: "-> setof type"; "variadic" before the last."""
    match = _CALL.fullmatch(signature.strip())
    require(match is not None, f"a function signature: {signature}")
    assert match is not None
    name, arguments, result = match.groups()
    types = [part.strip() for part in arguments.split(",") if part.strip()]
    if types and types[-1].startswith("variadic "):
        flags["variadic"] = True
        types[-1] = types[-1].removeprefix("variadic ")
    if result.startswith("setof "):
        flags["returns_set"] = True
        result = result.removeprefix("setof ")

    def decorate(call: Decorated) -> Decorated:
        register(
            Function(
                f"{name}({','.join(types)})",
                name,
                tuple(map(type_oid, types)),
                type_oid(result.strip()),
                call,
                **flags,
            )
        )
        return call

    return decorate


def operator(signature: str, **flags: Any) -> Callable[[Decorated], Decorated]:
    """Register under "type OP type -> type", or "OP type -> type" for a prefix operator."""
    signature = signature.strip()
    match = _BINARY.fullmatch(signature)
    if match is not None:
        left, name, right, result = match.groups()
        types, entry_id = [left, right], f"{left} {name} {right}"
    else:
        match = _UNARY.fullmatch(signature)
        require(match is not None, f"an operator signature: {signature}")
        assert match is not None
        name, right, result = match.groups()
        types, entry_id = [right], f"{name} {right}"

    def decorate(call: Decorated) -> Decorated:
        register(
            Function(entry_id, name, tuple(map(type_oid, types)), type_oid(result), call, **flags)
        )
        return call

    return decorate


def cast(signature: str, level: str, /, **flags: Any) -> Callable[[Decorated], Decorated]:
    """Register "source -> target"; `level` is the weakest context in which the cast happens."""
    source, target = (part.strip() for part in signature.split("->"))

    def decorate(call: Decorated) -> Decorated:
        entry_id = f"{source} :: {target}"
        source_oid, target_oid = type_oid(source), type_oid(target)
        register(Function(entry_id, target, (source_oid,), target_oid, call, **flags))
        CASTS[source_oid, target_oid] = CastEntry(source_oid, target_oid, level, entry_id)
        return call

    return decorate


def binary_cast(source: str, target: str, context: str) -> None:
    """A cast that keeps the in-memory value."""
    key = type_oid(source), type_oid(target)
    CASTS[key] = CastEntry(*key, context, "")


def inline_name(call: Decorated) -> Decorated:
    """Make a helper callable from `inline` templates under its own name."""
    require(call.__name__ not in INLINE_NAMES, f"one inline helper per name: {call.__name__}")
    INLINE_NAMES[call.__name__] = call
    return call


def aggregate(
    signature: str,
    *,
    init: Callable[[], Any],
    step: Callable[..., Any],
    final: Callable[..., Any],
    step_many: Callable[[Any, Sequence[Any]], Any] | None = None,
    **flags: Any,
) -> None:
    """Register an aggregate under "name(type, …) -> type"; with `typed`, `step` and `final` are
    never called."""
    match = _CALL.fullmatch(signature.strip())
    require(match is not None, f"an aggregate signature: {signature}")
    assert match is not None
    name, arguments, result = match.groups()
    types = [part.strip() for part in arguments.split(",") if part.strip()]
    entry = Aggregate(
        f"{name}({','.join(types)})",
        name,
        tuple(map(type_oid, types)),
        type_oid(result),
        init,
        step,
        final,
        step_many or stepping(step, flags.get("strict", True)),
        **flags,
    )
    require(entry.id not in AGGREGATES, f"one aggregate per id: {entry.id}")
    AGGREGATES[entry.id] = entry
    AGGREGATES_BY_NAME.setdefault(name, []).append(entry)


def bind(entry: Function, arguments: Sequence[TypeRef], result: TypeRef) -> Implementation:
    """The callable for these types."""
    if not entry.typed:
        return entry.call
    bound: Implementation = entry.call(tuple(arguments), result)
    return bound


def signatures() -> Mapping[str, Function]:
    """Everything registered, by id: for the documentation."""
    return FUNCTIONS
