"""Building typed expressions from names: what the analyser calls once it knows its arguments.

A literal without a type is a Constant of type UNKNOWN whose value is its text; it gets its type, and
is read by that type's input function, at the first place that wants one. A parameter without a type is
a Parameter of type UNKNOWN; `parameters` collects the type that it gets there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.functions import (
    ASSIGNMENT,
    EXPLICIT,
    IMPLICIT,
    common_type,
    find_cast,
    resolve_cast,
    resolve_function,
    resolve_operator,
)
from trilithon.types import modifiers, text_io
from trilithon.types.ordering import sort_key
from trilithon.types.registry import (
    BOOL,
    TEXT,
    TYPES,
    UNKNOWN,
    TypeRef,
    array_type,
    element_type,
    type_info,
    type_name,
)
from trilithon.types.settings import IoSettings


@dataclass(slots=True)
class Builder:
    """Builds nodes; raises SqlError 42883, 42725, 42846, 42804 and what input functions raise."""

    settings: IoSettings = field(default_factory=IoSettings)
    # By number: the types that parameters without one were given.
    parameters: dict[int, TypeRef] = field(default_factory=dict)

    def literal(self, text: str | None) -> ir.Constant:
        """'…' or NULL: of type UNKNOWN until something wants more."""
        return ir.Constant(text, UNKNOWN)

    def parameter(self, number: int, ref: TypeRef = UNKNOWN) -> ir.Expr:
        return ir.Parameter(number, self.parameters.get(number, ref))

    # --- coercion

    def coerce(self, expr: ir.Expr, target: TypeRef, context: str = IMPLICIT) -> ir.Expr:
        """Bring `expr` to `target` in this context: IMPLICIT (arguments), ASSIGNMENT (a column's new
        value) or EXPLICIT (CAST)."""
        source = expr.type
        if source.oid == target.oid and (target.typmod < 0 or source.typmod == target.typmod):
            return expr
        if source.oid == UNKNOWN.oid:
            if isinstance(expr, ir.Constant):
                return self._type_literal(expr, target, context)
            if isinstance(expr, ir.Parameter):
                bare = self._type_parameter(expr, TypeRef(target.oid))
                return self.coerce(bare, target, context)
        resolve_cast(source, target, context)
        if TYPES[target.oid].category == "P":
            return expr
        return ir.Cast(expr, target, context == EXPLICIT)

    def _type_literal(self, expr: ir.Constant, target: TypeRef, context: str) -> ir.Expr:
        """Read by the input function; the modifier comes after it, as a length coercion."""
        bare = TypeRef(target.oid)
        if expr.value is None or type_info(target.oid).category == "P":
            return expr if target.oid == UNKNOWN.oid else ir.Constant(expr.value, target)
        if type_info(target.oid).name == "interval":
            # INTERVAL '1' DAY: the fields say what a bare number means.
            value = text_io.parse(target, expr.value, self.settings)
        else:
            value = text_io.parse(bare, expr.value, self.settings)
            modify = modifiers.modifier(target, context == EXPLICIT)
            value = value if modify is None else modify(value)
        return ir.Constant(value, target)

    def _type_parameter(self, expr: ir.Parameter, target: TypeRef) -> ir.Parameter:
        known = self.parameters.setdefault(expr.number, target)
        if known.oid != target.oid:
            raise SqlError(
                "42P08",
                f"inconsistent types deduced for parameter ${expr.number}",
                detail=f"{type_name(known)} versus {type_name(target)}",
            )
        return ir.Parameter(expr.number, known)

    def cast(self, expr: ir.Expr, target: TypeRef) -> ir.Expr:
        return self.coerce(expr, target, EXPLICIT)

    def assign(self, expr: ir.Expr, target: TypeRef, column: str) -> ir.Expr:
        """A value for a column. Raises SqlError 42804 with PostgreSQL's words."""
        path = find_cast(expr.type.oid, target.oid)
        if path is None or path.context == EXPLICIT:
            raise SqlError(
                "42804",
                f'column "{column}" is of type {type_name(TypeRef(target.oid))} but expression is '
                f"of type {type_name(TypeRef(expr.type.oid))}",
                hint="You will need to rewrite or cast the expression.",
            )
        return self.coerce(expr, target, ASSIGNMENT)

    def settle(self, expr: ir.Expr) -> ir.Expr:
        """What an output column is: an UNKNOWN literal or parameter becomes text."""
        return self.coerce(expr, TEXT) if expr.type.oid == UNKNOWN.oid else expr

    def condition(self, expr: ir.Expr, where: str) -> ir.Expr:
        """A boolean for WHERE, AND, CASE/WHEN … (`where`). Raises SqlError 42804."""
        if expr.type.oid != UNKNOWN.oid:
            path = find_cast(expr.type.oid, BOOL.oid)
            if path is None or path.context == EXPLICIT:
                raise SqlError(
                    "42804",
                    f"argument of {where} must be type boolean, not type "
                    f"{type_name(TypeRef(expr.type.oid))}",
                )
        return self.coerce(expr, BOOL)

    # --- calls

    def call(self, name: str, args: Sequence[ir.Expr]) -> ir.Expr:
        """A function by its name; a type's name with one argument is a cast."""
        resolved = resolve_function(name, [arg.type for arg in args])
        if resolved.cast is not None:
            return self.cast(args[0], resolved.cast)
        assert resolved.function is not None
        return ir.Call(
            resolved.function.id, self._arguments(args, resolved.arguments), resolved.result
        )

    def _arguments(
        self, args: Sequence[ir.Expr], targets: Sequence[TypeRef]
    ) -> tuple[ir.Expr, ...]:
        return tuple(
            self.settle(arg) if target.oid == UNKNOWN.oid else self.coerce(arg, target)
            for arg, target in zip(args, targets, strict=True)
        )

    def operator(self, name: str, left: ir.Expr | None, right: ir.Expr) -> ir.Expr:
        """left OP right, or a prefix operator when `left` is None."""
        resolved = resolve_operator(name, None if left is None else left.type, right.type)
        args = [right] if left is None else [left, right]
        assert resolved.function is not None
        return ir.Call(
            resolved.function.id, self._arguments(args, resolved.arguments), resolved.result
        )

    def all_and(self, args: Sequence[ir.Expr]) -> ir.Expr:
        return ir.And(tuple(self.condition(arg, "AND") for arg in args))

    def any_or(self, args: Sequence[ir.Expr]) -> ir.Expr:
        return ir.Or(tuple(self.condition(arg, "OR") for arg in args))

    def negate(self, arg: ir.Expr) -> ir.Expr:
        return ir.Not(self.condition(arg, "NOT"))

    # --- constructs

    def common(self, args: Sequence[ir.Expr], construct: str) -> tuple[list[ir.Expr], TypeRef]:
        """Bring all to their common type (CASE, COALESCE, UNION, VALUES, ARRAY, IN …)."""
        target = common_type([arg.type for arg in args], construct)
        return [self.coerce(arg, target) for arg in args], target

    def case(
        self,
        operand: ir.Expr | None,
        whens: Sequence[tuple[ir.Expr, ir.Expr]],
        otherwise: ir.Expr | None,
    ) -> ir.Expr:
        """With an operand, the first of each pair is the value to compare it with."""
        conditions: list[ir.Expr] = []
        subject = None if operand is None else self.settle(operand)
        for condition, _ in whens:
            if subject is None:
                conditions.append(self.condition(condition, "CASE/WHEN"))
            else:
                conditions.append(self.operator("=", ir.CaseOperand(subject.type), condition))
        # PostgreSQL gives ELSE the first say in the common type.
        last = otherwise if otherwise is not None else self.literal(None)
        results, target = self.common([last, *(then for _, then in whens)], "CASE")
        pairs = tuple(zip(conditions, results[1:], strict=True))
        return ir.Case(subject, pairs, results[0] if otherwise is not None else None, target)

    def coalesce(self, args: Sequence[ir.Expr]) -> ir.Expr:
        coerced, target = self.common(args, "COALESCE")
        return ir.Coalesce(tuple(coerced), target)

    def min_max(self, args: Sequence[ir.Expr], *, greatest: bool) -> ir.Expr:
        coerced, target = self.common(args, "GREATEST" if greatest else "LEAST")
        less = resolve_operator("<", target, target).function
        assert less is not None
        return ir.MinMax(less.id, tuple(coerced), target, greatest)

    def _equality(self, left: ir.Expr, right: ir.Expr) -> tuple[str, ir.Expr, ir.Expr]:
        call = self.operator("=", left, right)
        assert isinstance(call, ir.Call)
        return call.function, call.args[0], call.args[1]

    def is_distinct(self, left: ir.Expr, right: ir.Expr, *, negated: bool = False) -> ir.Expr:
        return ir.IsDistinct(*self._equality(left, right), negated)

    def null_if(self, left: ir.Expr, right: ir.Expr) -> ir.Expr:
        equal, first, second = self._equality(left, right)
        return ir.NullIf(equal, first, second, first.type)

    def in_list(self, arg: ir.Expr, items: Sequence[ir.Expr], *, negated: bool = False) -> ir.Expr:
        """arg IN (…): a hash lookup where all items are constants of arg's type, else ORs."""
        coerced, target = self.common([arg, *items], "IN")
        subject, rest = coerced[0], coerced[1:]
        if all(isinstance(item, ir.Constant) for item in rest) and _is_hashable(target):
            values = tuple(item.value for item in rest if isinstance(item, ir.Constant))
            resolve_operator("=", target, target)
            return ir.InSet(subject, values, negated)
        tests = [self.operator("<>" if negated else "=", arg, item) for item in items]
        if len(tests) == 1:
            return tests[0]
        return ir.And(tuple(tests)) if negated else ir.Or(tuple(tests))

    def any_all(self, name: str, left: ir.Expr, array: ir.Expr, *, every: bool) -> ir.Expr:
        """left OP ANY (array), or ALL."""
        if array.type.oid == UNKNOWN.oid:
            left = self.settle(left)
            array = self.coerce(array, array_type(TypeRef(left.type.oid)))
        info = type_info(array.type.oid)
        if not info.element_oid:
            raise SqlError("42809", "op ANY/ALL (array) requires array on right side")
        resolved = resolve_operator(name, left.type, element_type(array.type))
        if resolved.result.oid != BOOL.oid:
            raise SqlError("42809", "op ANY/ALL (array) requires operator to yield boolean")
        assert resolved.function is not None
        array_target = array_type(TypeRef(resolved.arguments[1].oid))
        return ir.AnyAll(
            resolved.function.id,
            self.coerce(left, resolved.arguments[0]),
            self.coerce(array, array_target),
            every,
        )

    def array(self, items: Sequence[ir.Expr], target: TypeRef | None = None) -> ir.Expr:
        """ARRAY[…], or ARRAY[…]::target; members that are arrays make a dimension more.

        Raises SqlError 42P18 for an empty one without a type.
        """
        if target is not None and type_info(target.oid).element_oid:
            element = element_type(target)
            nested = any(type_info(item.type.oid).element_oid for item in items)
            members = [self.cast(item, target if nested else element) for item in items]
            return ir.ArrayLiteral(tuple(members), target, nested)
        if not items:
            raise SqlError(
                "42P18",
                "cannot determine type of empty array",
                hint="Explicitly cast to the desired type, for example ARRAY[]::integer[].",
            )
        coerced, target = self.common(items, "ARRAY")
        nested = bool(type_info(target.oid).element_oid)
        return ir.ArrayLiteral(tuple(coerced), array_type(TypeRef(target.oid)), nested)

    def row_compare(self, name: str, left: Sequence[ir.Expr], right: Sequence[ir.Expr]) -> ir.Expr:
        """(a, b, …) OP (x, y, …) for =, <>, <, <=, >, >=. Raises SqlError 42601."""
        if len(left) != len(right):
            raise SqlError("42601", "unequal number of entries in row expressions")
        if name in ("=", "<>"):
            tests = tuple(self.operator(name, a, b) for a, b in zip(left, right, strict=True))
            if len(tests) == 1:
                return tests[0]
            return ir.And(tests) if name == "=" else ir.Or(tests)
        pairs: list[tuple[ir.Expr, ir.Expr]] = []
        equals: list[str] = []
        compares: list[str] = []
        for a, b in zip(left, right, strict=True):
            equal, x, y = self._equality(a, b)
            strictly = resolve_operator(name[0], x.type, y.type).function
            assert strictly is not None
            pairs.append((x, y))
            equals.append(equal)
            compares.append(strictly.id)
        return ir.RowCompare(name, tuple(equals), tuple(compares), tuple(pairs))


def _is_hashable(ref: TypeRef) -> bool:
    """Whether equal values (or their sort keys) have equal hashes."""
    return type_info(ref.oid).name != "jsonb" or sort_key(ref.oid) is not None
