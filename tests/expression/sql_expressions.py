"""A tiny analyser for tests: one SQL expression, parsed by PostgreSQL's grammar, as typed IR."""

from __future__ import annotations

from typing import Any

import pgparse

from trilithon.expression import ir
from trilithon.expression.build import Builder
from trilithon.types.registry import (
    BOOL,
    INT4,
    INT8,
    NUMERIC,
    TypeRef,
    array_type,
    element_type,
    lookup_type,
)

SQL_VALUES = {
    "SVFOP_CURRENT_DATE": "current_date",
    "SVFOP_CURRENT_TIMESTAMP": "now",
    "SVFOP_LOCALTIMESTAMP": "localtimestamp",
}


class Translator:
    def __init__(self, builder: Builder, columns: dict[str, ir.Column] | None = None) -> None:
        self.builder = builder
        self.columns = columns or {}

    def translate(self, sql: str) -> ir.Expr:
        (statement,) = pgparse.parse(f"SELECT {sql}")
        target = statement["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
        return self.builder.settle(self.expr(target))

    def expr(self, node: dict[str, Any]) -> ir.Expr:
        ((kind, body),) = node.items()
        return getattr(self, f"_{kind}")(body)

    def many(self, nodes: Any) -> list[ir.Expr]:
        if isinstance(nodes, dict):
            nodes = nodes["List"]["items"]
        return [self.expr(node) for node in nodes or []]

    def _A_Const(self, body: dict[str, Any]) -> ir.Expr:
        if body.get("isnull"):
            return self.builder.literal(None)
        if "ival" in body:
            return ir.Constant(body["ival"].get("ival", 0), INT4)
        if "fval" in body:
            text = body["fval"]["fval"]
            if text.lstrip("-").isdigit() and -(1 << 63) <= int(text) < 1 << 63:
                fits = -(1 << 31) <= int(text) < 1 << 31
                return ir.Constant(int(text), INT4 if fits else INT8)
            return self.builder.cast(self.builder.literal(text), NUMERIC)
        if "boolval" in body:
            return ir.Constant(body["boolval"].get("boolval", False), BOOL)
        return self.builder.literal(body["sval"].get("sval", ""))

    def type_ref(self, body: dict[str, Any]) -> TypeRef:
        name = body["names"][-1]["String"]["sval"]
        typmods = [m["A_Const"]["ival"].get("ival", 0) for m in body.get("typmods", [])]
        return lookup_type(name, typmods, bool(body.get("arrayBounds")))

    def _TypeCast(self, body: dict[str, Any]) -> ir.Expr:
        target = self.type_ref(body["typeName"])
        if "A_ArrayExpr" in body["arg"]:
            items = self.many(body["arg"]["A_ArrayExpr"].get("elements"))
            return self.builder.array(items, target)
        return self.builder.cast(self.expr(body["arg"]), target)

    def _A_Expr(self, body: dict[str, Any]) -> ir.Expr:
        b, kind = self.builder, body["kind"]
        name = body["name"][-1]["String"]["sval"] if body.get("name") else ""
        if kind == "AEXPR_IN":
            left = self.expr(body["lexpr"])
            return b.in_list(left, self.many(body["rexpr"]), negated=name == "<>")
        if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
            every = kind == "AEXPR_OP_ALL"
            return b.any_all(name, self.expr(body["lexpr"]), self.expr(body["rexpr"]), every=every)
        if kind in ("AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN"):
            left, (low, high) = self.expr(body["lexpr"]), self.many(body["rexpr"])
            if kind == "AEXPR_BETWEEN":
                return b.all_and([b.operator(">=", left, low), b.operator("<=", left, high)])
            return b.any_or([b.operator("<", left, low), b.operator(">", left, high)])
        if kind == "AEXPR_OP" and "RowExpr" in (body.get("lexpr") or {}):
            left_row = self.many(body["lexpr"]["RowExpr"]["args"])
            return b.row_compare(name, left_row, self.many(body["rexpr"]["RowExpr"]["args"]))
        left = self.expr(body["lexpr"]) if "lexpr" in body else None
        right = self.expr(body["rexpr"])
        match kind:
            case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT":
                assert left
                return b.is_distinct(left, right, negated=kind == "AEXPR_NOT_DISTINCT")
            case "AEXPR_NULLIF":
                assert left
                return b.null_if(left, right)
            case "AEXPR_SIMILAR" | "AEXPR_OP" | "AEXPR_LIKE" | "AEXPR_ILIKE":
                return b.operator(name, left, right)
        raise NotImplementedError(kind)

    def _BoolExpr(self, body: dict[str, Any]) -> ir.Expr:
        args = self.many(body["args"])
        match body["boolop"]:
            case "AND_EXPR":
                return self.builder.all_and(args)
            case "OR_EXPR":
                return self.builder.any_or(args)
        return self.builder.negate(args[0])

    def _NullTest(self, body: dict[str, Any]) -> ir.Expr:
        return ir.IsNull(self.expr(body["arg"]), body["nulltesttype"] == "IS_NOT_NULL")

    def _BooleanTest(self, body: dict[str, Any]) -> ir.Expr:
        kind = body["booltesttype"].removeprefix("IS_")
        negated = kind.startswith("NOT_")
        expected = {"TRUE": True, "FALSE": False, "UNKNOWN": None}[kind.removeprefix("NOT_")]
        arg = self.builder.condition(self.expr(body["arg"]), "IS TRUE")
        return ir.BooleanTest(arg, expected, negated)

    def _FuncCall(self, body: dict[str, Any]) -> ir.Expr:
        return self.builder.call(
            body["funcname"][-1]["String"]["sval"], self.many(body.get("args"))
        )

    def _CoalesceExpr(self, body: dict[str, Any]) -> ir.Expr:
        return self.builder.coalesce(self.many(body["args"]))

    def _MinMaxExpr(self, body: dict[str, Any]) -> ir.Expr:
        return self.builder.min_max(self.many(body["args"]), greatest=body["op"] == "IS_GREATEST")

    def _CaseExpr(self, body: dict[str, Any]) -> ir.Expr:
        operand = self.expr(body["arg"]) if "arg" in body else None
        whens = [
            (self.expr(w["CaseWhen"]["expr"]), self.expr(w["CaseWhen"]["result"]))
            for w in body["args"]
        ]
        last = self.expr(body["defresult"]) if "defresult" in body else None
        return self.builder.case(operand, whens, last)

    def _A_ArrayExpr(self, body: dict[str, Any]) -> ir.Expr:
        return self.builder.array(self.many(body.get("elements")))

    def _A_Indirection(self, body: dict[str, Any]) -> ir.Expr:
        array = self.expr(body["arg"])
        indices = [item["A_Indices"] for item in body["indirection"]]
        if any(item.get("is_slice") for item in indices):
            bounds, flags = [], ""
            for item in indices:
                pair = []
                for side in ("lidx", "uidx"):
                    missing = side not in item
                    flags += "1" if missing else "0"
                    pair.append(
                        ir.null(INT4)
                        if missing
                        else self.builder.coerce(self.expr(item[side]), INT4, "assignment")
                    )
                bounds.append(tuple(pair))
            return ir.Slice(array, tuple(bounds), flags, array_type(array.type))
        indexes = [
            self.builder.coerce(self.expr(item["uidx"]), INT4, "assignment") for item in indices
        ]
        return ir.Subscript(array, tuple(indexes), element_type(array.type))

    def _SQLValueFunction(self, body: dict[str, Any]) -> ir.Expr:
        return self.builder.call(SQL_VALUES[body["op"]], [])

    def _ColumnRef(self, body: dict[str, Any]) -> ir.Expr:
        return self.columns[body["fields"][-1]["String"]["sval"]]

    def _RowExpr(self, body: dict[str, Any]) -> ir.Expr:
        return ir.Row(tuple(map(self.builder.settle, self.many(body.get("args")))))

    def _CollateClause(self, body: dict[str, Any]) -> ir.Expr:
        return self.expr(body["arg"])
