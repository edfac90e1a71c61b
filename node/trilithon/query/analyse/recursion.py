"""Which recursive queries are well formed: as PostgreSQL, the recursive term names its query once, where each
round's rows may simply be put in its place.

Walks the statement's parse tree: what a reference means for recursion depends on where it is written.
"""

from __future__ import annotations

from typing import Any, Final

from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.free import inputs_of
from trilithon.query.analyse.tree import Aggregate, CteScan, Filter, Join, Relation

Node = dict[str, Any]

_NOWHERE: Final = {
    "subquery": "within a subquery",
    "outer": "within an outer join",
    "intersect": "within INTERSECT",
    "except": "within EXCEPT",
}


class _References:
    """Finds where `name` is read; `place` is "" where it may be."""

    def __init__(self, analysis: Analysis, name: str) -> None:
        self.analysis = analysis
        self.name = name
        self.count = 0

    def walk(self, node: Any, place: str) -> None:
        if isinstance(node, list):
            for item in node:
                self.walk(item, place)
        elif isinstance(node, dict):
            for kind, body in node.items():
                self._tagged(kind, body, place)

    def _tagged(self, kind: str, body: Any, place: str) -> None:
        match kind:
            case "RangeVar":
                self._table(body, place)
            case "SubLink":
                self.walk(body.get("testexpr"), place)
                self.walk(body.get("subselect"), place or "subquery")
            case "JoinExpr":
                self._join(body, place)
            case "SelectStmt":
                self.select(body, place)
            case _:
                self.walk(body, place)

    def _table(self, body: Node, place: str) -> None:
        if body["relname"] != self.name or "schemaname" in body:
            return
        location = body.get("location", 0)
        self.count += 1
        where = _NOWHERE.get(place, "more than once" if self.count > 1 else "")
        if where:
            message = f'recursive reference to query "{self.name}" must not appear {where}'
            self.analysis.fail("42P19", message, location)

    def _join(self, body: Node, place: str) -> None:
        kind = body.get("jointype", "JOIN_INNER")
        left = place or ("outer" if kind in ("JOIN_RIGHT", "JOIN_FULL") else "")
        right = place or ("outer" if kind in ("JOIN_LEFT", "JOIN_FULL") else "")
        self.walk(body.get("larg"), left)
        self.walk(body.get("rarg"), right)
        self.walk(body.get("quals"), place)

    def select(self, body: Node, place: str) -> None:
        own = body.get("withClause", {}).get("ctes", [])
        self.walk([cte["CommonTableExpr"].get("ctequery") for cte in own], place)
        if any(cte["CommonTableExpr"]["ctename"] == self.name for cte in own):
            return  # the inner query's name hides this one
        left = right = place
        match body.get("op", "SETOP_NONE"):
            case "SETOP_INTERSECT" if body.get("all"):
                left = right = place or "intersect"
            case "SETOP_EXCEPT":
                left, right = place or ("except" if body.get("all") else ""), place or "except"
        if "larg" in body:
            self.select(body["larg"], left)
            self.select(body["rarg"], right)
        rest = {k: v for k, v in body.items() if k not in ("larg", "rarg", "withClause", "op")}
        self.walk(rest, place)


def check_references(analysis: Analysis, name: str, recursive_term: Node) -> None:
    """42P19 unless the term names the query at most once, and where it may."""
    _References(analysis, name).select(recursive_term, "")


def check_aggregates(analysis: Analysis, number: int, relation: Relation) -> None:
    """42P19 where an aggregate is computed over the recursive query itself: rounds see only new rows."""
    pending = [relation]
    while pending:
        top = pending.pop()
        if isinstance(top, Aggregate) and top.calls and _reads(top.input, number):
            analysis.fail(
                "42P19",
                "aggregate functions are not allowed in a recursive query's recursive term",
            )
        pending.extend(inputs_of(top))


def _reads(relation: Relation, number: int) -> bool:
    match relation:
        case CteScan():
            return relation.cte == number
        case Join() | Filter():
            return any(_reads(part, number) for part in inputs_of(relation))
    return False
