"""Which function, operator, cast or aggregate a call means: PostgreSQL's overload rules.

Source of the rules: "Type Conversion" in PostgreSQL's manual and parse_func.c, parse_oper.c,
parse_coerce.c. Types come and go as TypeRefs; UNKNOWN is a literal whose type is not decided yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol, TypeVar

from trilithon.core.errors import SqlError
from trilithon.expression import builtins
from trilithon.expression.registry import (
    AGGREGATES,
    AGGREGATES_BY_NAME,
    ASSIGNMENT,
    CASTS,
    EXPLICIT,
    FUNCTIONS,
    FUNCTIONS_BY_NAME,
    IMMUTABLE,
    IMPLICIT,
    OPERATORS_BY_NAME,
    Aggregate,
    Function,
)
from trilithon.types.registry import (
    ALIASES,
    BY_NAME,
    POLYMORPHIC,
    RECORD,
    TEXT,
    TYPES,
    UNKNOWN,
    TypeRef,
    array_type,
    is_composite,
    is_enum,
    type_info,
    type_name,
)

__all__ = [
    "ASSIGNMENT",
    "EXPLICIT",
    "IMPLICIT",
    "CastPath",
    "Resolved",
    "ResolvedAggregate",
    "can_coerce",
    "common_type",
    "find_cast",
    "get_aggregate",
    "get_function",
    "resolve_aggregate",
    "resolve_cast",
    "resolve_function",
    "resolve_operator",
]

builtins.load()

_ANY: Final = 2276
_ANYARRAY, _ANYELEMENT, _ANYNONARRAY, _ANYENUM = 2277, 2283, 2776, 3500
_COMPATIBLE, _COMPATIBLE_ARRAY, _COMPATIBLE_NONARRAY = 5077, 5078, 5079
# Functions of one argument that PostgreSQL also has for types that are not here (macaddr, tsvector), so
# that a literal alone does not decide between them.
_UNDECIDED: Final = frozenset({"trunc", "unnest"})
_ELEMENT_FAMILY: Final = frozenset({_ANYARRAY, _ANYELEMENT, _ANYNONARRAY, _ANYENUM})
_UNKNOWN: Final = UNKNOWN.oid
# int2vector and oidvector: arrays of a fixed shape, that no other array becomes.
_VECTORS: Final = frozenset({22, 30})
_RANK: Final = {IMPLICIT: 0, ASSIGNMENT: 1, EXPLICIT: 2}


class Overload(Protocol):
    """What choosing between functions of one name looks at."""

    @property
    def arguments(self) -> tuple[int, ...]: ...
    @property
    def variadic(self) -> bool: ...


Candidate = TypeVar("Candidate", bound=Overload)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call that fits: coerce the arguments to `arguments`, the call gives `result`.

    `cast` is set (and `function` is None) where a type's name was called as a function: a cast.
    """

    function: Function | None
    arguments: tuple[TypeRef, ...]
    result: TypeRef
    cast: TypeRef | None = None


@dataclass(frozen=True, slots=True)
class ResolvedAggregate:
    aggregate: Aggregate
    arguments: tuple[TypeRef, ...]
    result: TypeRef


@dataclass(frozen=True, slots=True)
class CastPath:
    """How a value gets from one type to another (modifiers apart).

    `kind`: "same" (the value as it is), "function", "text" (output, then input), "array" (each
    element by `element`), "record" (a row of a named type as one of none).
    """

    kind: str
    context: str
    function: Function | None = None
    element: CastPath | None = None


_SAME: Final = CastPath("same", IMPLICIT)
_AS_RECORD: Final = CastPath("record", IMPLICIT)
_OUTPUT: Final = CastPath("text", ASSIGNMENT)
_INPUT: Final = CastPath("text", EXPLICIT)


def get_function(function_id: str) -> Function:
    """Raises SqlError 42883: ids come from our own analyser or from another process."""
    entry = FUNCTIONS.get(function_id)
    if entry is None:
        raise SqlError("42883", f"function {function_id[:200]} does not exist")
    return entry


def get_aggregate(aggregate_id: str) -> Aggregate:
    entry = AGGREGATES.get(aggregate_id)
    if entry is None:
        raise SqlError("42883", f"aggregate {aggregate_id[:200]} does not exist")
    return entry


# --- casts


@lru_cache(maxsize=4096)
def find_cast(source: int, target: int) -> CastPath | None:
    """The way from `source` to `target` with the weakest context it needs, None without one."""
    if source == target or target == _ANY:
        return _SAME
    if source == _UNKNOWN:
        return CastPath("text", IMPLICIT)
    entry = CASTS.get((source, target))
    if entry is not None:
        if entry.function:
            return CastPath("function", entry.context, FUNCTIONS[entry.function])
        return _SAME if entry.context == IMPLICIT else CastPath("same", entry.context)
    source_info, target_info = TYPES.get(source), TYPES.get(target)
    if source_info is None or target_info is None:
        return None
    if source_info.element_oid and target_info.element_oid and target not in _VECTORS:
        element = find_cast(source_info.element_oid, target_info.element_oid)
        return element and CastPath("array", element.context, element=element)
    if target == RECORD.oid and is_composite(source):
        return _AS_RECORD
    if source_info.category == "P" or target_info.category == "P":
        return _OUTPUT if source_info.name == "record" and target_info.category == "S" else None
    # Any type has a text form: to strings on assignment, from strings only when asked.
    if target_info.category == "S":
        return _OUTPUT
    return _INPUT if source_info.category == "S" else None


def can_coerce(source: TypeRef, target: TypeRef, context: str = IMPLICIT) -> bool:
    if target.oid in POLYMORPHIC:
        return True
    path = find_cast(source.oid, target.oid)
    return path is not None and _RANK[path.context] <= _RANK[context]


def resolve_cast(source: TypeRef, target: TypeRef, context: str = EXPLICIT) -> CastPath:
    """Raises SqlError 42846 (explicit) or 42804 where there is no such cast in this context."""
    path = find_cast(source.oid, target.oid)
    if path is None or _RANK[path.context] > _RANK[context]:
        if path is None or context == EXPLICIT:
            raise SqlError(
                "42846", f"cannot cast type {type_name(source)} to {type_name(_bare(target))}"
            )
        raise SqlError(
            "42804",
            f"cannot convert type {type_name(source)} to {type_name(_bare(target))} implicitly",
        )
    return path


def _bare(ref: TypeRef) -> TypeRef:
    return TypeRef(ref.oid)


def is_binary_coercible(source: int, target: int) -> bool:
    path = find_cast(source, target)
    return path is not None and path.kind == "same" and path.context == IMPLICIT


# --- polymorphic types


def _elements_of(oid: int) -> int:
    info = TYPES.get(oid)
    return info.element_oid if info else 0


def _bind_polymorphic(
    declared: Sequence[int], given: Sequence[int]
) -> tuple[list[int], dict[str, int]] | None:
    """The concrete types for declared argument types, None where they contradict each other.

    The mapping has "element" for the any* family and "compatible" for the anycompatible* one.
    """
    element = 0
    compatibles: list[int] = []
    for want, have in zip(declared, given, strict=True):
        if have == _UNKNOWN or want not in POLYMORPHIC or want == _ANY:
            continue
        item = have
        if want in (_ANYARRAY, _COMPATIBLE_ARRAY):
            item = _elements_of(have)
            if not item:
                return None
        elif (want in (_ANYNONARRAY, _COMPATIBLE_NONARRAY) and _elements_of(have)) or (
            want == _ANYENUM and not is_enum(have)
        ):
            return None
        if want in (_COMPATIBLE, _COMPATIBLE_ARRAY, _COMPATIBLE_NONARRAY):
            compatibles.append(item)
        elif element and element != item:
            return None
        else:
            element = item
    compatible = 0
    if any(want in (_COMPATIBLE, _COMPATIBLE_ARRAY, _COMPATIBLE_NONARRAY) for want in declared):
        chosen = _common(compatibles) if compatibles else TEXT.oid
        if chosen is None:
            return None
        compatible = chosen
    concrete = [
        _concrete(want, have, element, compatible)
        for want, have in zip(declared, given, strict=True)
    ]
    return concrete, {"element": element, "compatible": compatible}


def _concrete(want: int, have: int, element: int, compatible: int) -> int:
    if want not in POLYMORPHIC:
        return want
    if want == _ANY:
        return have
    if want in (_ANYELEMENT, _ANYNONARRAY, _ANYENUM):
        return element or have
    if want == _ANYARRAY:
        return array_type(TypeRef(element)).oid if element else have
    if want == _COMPATIBLE_ARRAY:
        return array_type(TypeRef(compatible)).oid
    return compatible


def _result_type(declared: int, arguments: Sequence[int], bound: dict[str, int]) -> TypeRef:
    if declared not in POLYMORPHIC or declared == _ANY:
        return TypeRef(declared)
    compatible = declared in (_COMPATIBLE, _COMPATIBLE_ARRAY, _COMPATIBLE_NONARRAY)
    item = bound["compatible" if compatible else "element"]
    if not item:
        raise SqlError(
            "42804", "could not determine polymorphic type because input has type unknown"
        )
    ref = TypeRef(item)
    return array_type(ref) if declared in (_ANYARRAY, _COMPATIBLE_ARRAY) else ref


# --- overloads


def _declared(candidate: Overload, count: int) -> tuple[int, ...] | None:
    """The declared types stretched to `count` arguments, None where the count does not fit."""
    types = candidate.arguments
    if not candidate.variadic:
        return types if len(types) == count else None
    if count < len(types):
        return None
    return (*types[:-1], *((types[-1],) * (count - len(types) + 1)))


def _fits(declared: Sequence[int], given: Sequence[int]) -> bool:
    for want, have in zip(declared, given, strict=True):
        if want in POLYMORPHIC or have == _UNKNOWN:
            continue
        path = find_cast(have, want)
        if path is None or path.context != IMPLICIT:
            return False
    return _bind_polymorphic(declared, given) is not None


def _category(oid: int) -> str:
    info = TYPES.get(oid)
    return info.category if info else "U"


def _preferred(oid: int) -> bool:
    info = TYPES.get(oid)
    return info is not None and info.preferred


Option = tuple[Candidate, tuple[int, ...]]


def _select(options: list[Option[Candidate]], given: Sequence[int]) -> Option[Candidate] | None:
    """func_select_candidate(): the best of several that fit, None where none is best."""
    known = [number for number, oid in enumerate(given) if oid != _UNKNOWN]
    options = _keep_best(options, lambda types: sum(types[n] == given[n] for n in known))
    if len(options) == 1:
        return options[0]
    options = _keep_best(
        options,
        lambda types: sum(
            types[n] == given[n]
            or (_preferred(types[n]) and _category(types[n]) == _category(given[n]))
            for n in known
        ),
    )
    if len(options) == 1:
        return options[0]
    if len(known) == len(given):
        return None
    options = _by_unknown_categories(options, given)
    if len(options) == 1:
        return options[0]
    kinds = {given[n] for n in known}
    if len(kinds) != 1:
        return None
    # All known arguments agree: suppose that the literals are of that type too.
    supposed = [next(iter(kinds))] * len(given)
    fitting = [option for option in options if _fits(option[1], supposed)]
    return fitting[0] if len(fitting) == 1 else None


def _keep_best(options: list[Option[Candidate]], score: object) -> list[Option[Candidate]]:
    scores = [score(types) for _, types in options]  # type: ignore[operator]
    best = max(scores)
    return [option for option, value in zip(options, scores, strict=True) if value == best]


def _by_unknown_categories(
    options: list[Option[Candidate]], given: Sequence[int]
) -> list[Option[Candidate]]:
    wanted: dict[int, tuple[str, bool]] = {}
    for number, oid in enumerate(given):
        if oid != _UNKNOWN:
            continue
        slots = [types[number] for _, types in options]
        categories = {_category(slot) for slot in slots}
        if "S" in categories:
            category = "S"
        elif len(categories) == 1:
            category = next(iter(categories))
        else:
            return options
        has_preferred = any(_preferred(slot) and _category(slot) == category for slot in slots)
        wanted[number] = category, has_preferred
    kept = [
        option
        for option in options
        if all(
            _category(option[1][number]) == category
            and (not has_preferred or _preferred(option[1][number]))
            for number, (category, has_preferred) in wanted.items()
        )
    ]
    return kept or options


def _choose(
    candidates: Sequence[Candidate], given: Sequence[int]
) -> tuple[Option[Candidate] | None, bool]:
    """(the choice or None, whether it is None because several are as good)."""
    options: list[Option[Candidate]] = []
    for candidate in candidates:
        declared = _declared(candidate, len(given))
        if declared is None:
            continue
        if declared == tuple(given) and not candidate.variadic:
            return (candidate, declared), False
        options.append((candidate, declared))
    options = [option for option in options if _fits(option[1], given)]
    if len(options) > 1:
        # A signature of fixed length wins over a variadic one that stretches to the same types.
        fixed = {types for candidate, types in options if not candidate.variadic}
        options = [o for o in options if not o[0].variadic or o[1] not in fixed]
    if len(options) <= 1:
        return (options[0] if options else None), False
    chosen = _select(options, given)
    return chosen, chosen is None


def is_function(name: str) -> bool:
    return name in FUNCTIONS_BY_NAME


def choose_overload(
    candidates: Sequence[Candidate], given: Sequence[TypeRef]
) -> tuple[Candidate | None, bool]:
    """The one of some candidates that a call means, by the rules of built-in functions, and (where there
    is none) whether several are as good."""
    choice, ambiguous = _choose(candidates, [ref.oid for ref in given])
    return (None if choice is None else choice[0]), ambiguous


def _finish(
    declared: Sequence[int], given: Sequence[TypeRef], result: int
) -> tuple[tuple[TypeRef, ...], TypeRef]:
    bound = _bind_polymorphic(declared, [ref.oid for ref in given])
    assert bound is not None
    concrete, mapping = bound
    if not mapping["element"] and any(want in _ELEMENT_FAMILY for want in declared):
        raise SqlError(
            "42804", "could not determine polymorphic type because input has type unknown"
        )
    arguments = tuple(
        have if have.oid == want else TypeRef(want)
        for want, have in zip(concrete, given, strict=True)
    )
    return arguments, _result_type(result, concrete, mapping)


def bound_types(
    declared: Sequence[int], given: Sequence[TypeRef], result: int
) -> tuple[tuple[TypeRef, ...], TypeRef]:
    """The arguments' and the result's types of a polymorphic function. SqlError 42804, 42883."""
    if _bind_polymorphic(declared, [ref.oid for ref in given]) is None:
        raise SqlError("42804", "could not determine polymorphic type")
    arguments, type_ = _finish(declared, given, result)
    if any(ref.oid in POLYMORPHIC or ref.oid == _UNKNOWN for ref in (*arguments, type_)):
        raise SqlError(
            "42804", "could not determine polymorphic type because input has type unknown"
        )
    return arguments, type_


def _describe(arguments: Sequence[TypeRef]) -> str:
    return ", ".join(type_name(_bare(ref)) for ref in arguments)


_HINT: Final = "You might need to add explicit type casts."


def resolve_function(name: str, arguments: Sequence[TypeRef]) -> Resolved:
    """Raises SqlError 42883 (no such function) or 42725 (not unique)."""
    return _resolve_function(name, tuple(arguments))


@lru_cache(maxsize=8192)
def _resolve_function(name: str, arguments: tuple[TypeRef, ...]) -> Resolved:
    given = [ref.oid for ref in arguments]
    candidates = FUNCTIONS_BY_NAME.get(name, [])
    exact = next((c for c in candidates if list(c.arguments) == given and not c.variadic), None)
    if exact is None and len(given) == 1:
        target = BY_NAME.get(ALIASES.get(name, name) if name != "char" else name)
        if target is not None and target.category != "P":
            path = find_cast(given[0], target.oid)
            if path is not None and (not candidates or given[0] == _UNKNOWN or path.kind == "same"):
                ref = TypeRef(target.oid)
                return Resolved(None, arguments, ref, cast=ref)
    choice, ambiguous = _choose(candidates, given)
    if given == [_UNKNOWN] and name in _UNDECIDED:
        choice, ambiguous = None, True
    if choice is None:
        described = f"{name}({_describe(arguments)})"
        if ambiguous:
            raise SqlError(
                "42725",
                f"function {described} is not unique",
                hint=f"Could not choose a best candidate function. {_HINT}",
            )
        raise SqlError(
            "42883",
            f"function {described} does not exist",
            hint=f"No function matches the given name and argument types. {_HINT}",
        )
    entry, declared = choice
    targets, result = _finish(declared, arguments, entry.result)
    return Resolved(entry, targets, result)


def resolve_operator(name: str, left: TypeRef | None, right: TypeRef) -> Resolved:
    """A prefix operator has no `left`. Raises SqlError 42883 or 42725."""
    return _resolve_operator("<>" if name == "!=" else name, left, right)


@lru_cache(maxsize=8192)
def _resolve_operator(name: str, left: TypeRef | None, right: TypeRef) -> Resolved:
    arguments = (right,) if left is None else (left, right)
    given = [ref.oid for ref in arguments]
    candidates = [c for c in OPERATORS_BY_NAME.get(name, []) if len(c.arguments) == len(given)]
    choice: Option[Function] | None = None
    ambiguous = False
    if left is not None and (given[0] == _UNKNOWN) != (given[1] == _UNKNOWN):
        # A literal beside a known type is first taken for the same type.
        same = max(given, key=lambda oid: oid != _UNKNOWN)
        entry = next((c for c in candidates if c.arguments == (same, same)), None)
        choice = (entry, entry.arguments) if entry else None
    if choice is None:
        choice, ambiguous = _choose(candidates, given)
    if choice is None:
        described = f"{name} {type_name(_bare(right))}"
        if left is not None:
            described = f"{type_name(_bare(left))} {described}"
        if ambiguous:
            raise SqlError(
                "42725",
                f"operator is not unique: {described}",
                hint=f"Could not choose a best candidate operator. {_HINT}",
            )
        raise SqlError(
            "42883",
            f"operator does not exist: {described}",
            hint=f"No operator matches the given name and argument types. {_HINT}",
        )
    chosen, declared = choice
    targets, result = _finish(declared, arguments, chosen.result)
    return Resolved(chosen, targets, result)


def is_aggregate(name: str) -> bool:
    return name in AGGREGATES_BY_NAME


def resolve_aggregate(
    name: str, arguments: Sequence[TypeRef], *, within_group: bool = False
) -> ResolvedAggregate:
    """count(*) has no arguments; `within_group`: the values of WITHIN GROUP (ORDER BY …) are the last.

    Raises SqlError 42883, 42725, 42809 (WITHIN GROUP missing, or out of place).
    """
    given = [ref.oid for ref in arguments]
    choice, ambiguous = _choose(AGGREGATES_BY_NAME.get(name, []), given)
    if choice is None:
        described = f"{name}({_describe(arguments)})"
        if ambiguous:
            raise SqlError("42725", f"function {described} is not unique", hint=_HINT)
        raise SqlError(
            "42883",
            f"function {described} does not exist",
            hint=f"No function matches the given name and argument types. {_HINT}",
        )
    entry, declared = choice
    if entry.within_group and not within_group:
        raise SqlError("42809", f"WITHIN GROUP is required for ordered-set aggregate {name}")
    if within_group and not entry.within_group:
        raise SqlError(
            "42809", f"{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP"
        )
    targets, result = _finish(declared, arguments, entry.result)
    return ResolvedAggregate(entry.specialised(targets), targets, result)


# --- the common type of CASE, COALESCE, UNION, VALUES, ARRAY, IN …


def _common(oids: Sequence[int]) -> int | None:
    """select_common_type(): None where two categories meet or no implicit cast unites them."""
    chosen = oids[0]
    for oid in oids[1:]:
        if oid in (chosen, _UNKNOWN):
            continue
        if chosen == _UNKNOWN:
            chosen = oid
            continue
        if _category(oid) != _category(chosen):
            return None
        if not _preferred(chosen) and _implicit(chosen, oid) and not _implicit(oid, chosen):
            chosen = oid
    chosen = TEXT.oid if chosen == _UNKNOWN else chosen
    if all(oid == _UNKNOWN or _implicit(oid, chosen) for oid in oids):
        return chosen
    return None


def _implicit(source: int, target: int) -> bool:
    path = find_cast(source, target)
    return path is not None and path.context == IMPLICIT


def common_type(types: Sequence[TypeRef], construct: str) -> TypeRef:
    """The type that all branches of `construct` ("CASE", "UNION", "VALUES", …) are brought to.

    The modifier survives where all agree. Raises SqlError 42804.
    """
    first = types[0]
    if all(ref == first for ref in types) and first.oid != _UNKNOWN:
        return first
    chosen = _common([ref.oid for ref in types])
    if chosen is None:
        settled = first
        for ref in types[1:]:
            if _common([settled.oid, ref.oid]) is None:
                raise SqlError(
                    "42804",
                    f"{construct} types {type_name(_bare(settled))} and {type_name(_bare(ref))} "
                    f"cannot be matched",
                )
            united = _common([settled.oid, ref.oid])
            assert united is not None
            settled = TypeRef(united)
        raise SqlError(
            "42804",
            f"{construct} could not convert type {type_name(first)} to {type_name(settled)}",
        )
    typmods = {ref.typmod for ref in types if ref.oid == chosen}
    agree = len(typmods) == 1 and all(ref.oid == chosen for ref in types)
    return TypeRef(chosen, typmods.pop() if agree else -1)


def is_immutable(function_id: str) -> bool:
    return get_function(function_id).volatility == IMMUTABLE


def category(ref: TypeRef) -> str:
    """typcategory, for the analyser's own rules."""
    return type_info(ref.oid).category
