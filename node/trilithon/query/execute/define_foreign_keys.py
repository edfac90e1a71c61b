"""Foreign keys in CREATE TABLE and ALTER TABLE: from parse nodes to the catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import names
from trilithon.query.catalog import ddl
from trilithon.query.catalog.changes import constraint_names
from trilithon.query.catalog.definitions import ForeignKeyDefinition, ReferenceAction, Table
from trilithon.query.execute.definitions import Definer
from trilithon.query.execute.foreign_keys import check_deferred
from trilithon.query.parse.statement import Node

_ACTIONS: Final = {
    "a": ReferenceAction.NO_ACTION,
    "r": ReferenceAction.RESTRICT,
    "c": ReferenceAction.CASCADE,
    "n": ReferenceAction.SET_NULL,
    "d": ReferenceAction.SET_DEFAULT,
}
# What may follow a column's constraint → what it says of it.
ATTRIBUTES: Final = {
    "ATTR_DEFERRABLE": ("deferrable", True),
    "ATTR_NOT_DEFERRABLE": ("deferrable", False),
    "ATTR_DEFERRED": ("initdeferred", True),
    "ATTR_IMMEDIATE": ("initdeferred", False),
}
_WORDS: Final = {
    "ATTR_DEFERRABLE": "DEFERRABLE",
    "ATTR_NOT_DEFERRABLE": "NOT DEFERRABLE",
    "ATTR_DEFERRED": "INITIALLY DEFERRED",
    "ATTR_IMMEDIATE": "INITIALLY IMMEDIATE",
}
_TAKING: Final = frozenset({"FOREIGN", "PRIMARY", "UNIQUE", "EXCLUSION"})


def with_attributes(constraints: list[Node]) -> list[Node]:
    """A column's constraints, each with what DEFERRABLE and kin behind it say. SqlError 42601."""
    found: list[Node] = []
    last: Node | None = None
    for item in constraints:
        node = item["Constraint"]
        kind = node["contype"].removeprefix("CONSTR_")
        if kind not in ATTRIBUTES:
            last = dict(node)
            found.append(last)
            continue
        if last is None or last["contype"].removeprefix("CONSTR_") not in _TAKING:
            raise SqlError("42601", f"misplaced {_WORDS[kind]} clause")
        field, value = ATTRIBUTES[kind]
        said = last.setdefault("said", set())
        if field in said:
            two = "DEFERRABLE/NOT DEFERRABLE"
            if field == "initdeferred":
                two = "INITIALLY IMMEDIATE/DEFERRED"
            raise SqlError("42601", f"multiple {two} clauses not allowed")
        said.add(field)
        last[field] = value
        if last.get("initdeferred"):
            if "deferrable" in said and not last["deferrable"]:
                raise SqlError("42601", "constraint declared INITIALLY DEFERRED must be DEFERRABLE")
            last["deferrable"] = True
    return found


def definition(definer: Definer, node: Node, column: str | None) -> ForeignKeyDefinition:
    """SqlError 42P01, 42809."""
    if not node.get("is_enforced", True):
        raise SqlError("0A000", "NOT ENFORCED constraints are not supported")
    referenced = names.find_relation(definer.analysis, node["pktable"])
    if not isinstance(referenced, Table):
        relation = node["pktable"]["relname"]
        raise SqlError("42809", f'referenced relation "{relation}" is not a table')
    return ForeignKeyDefinition(
        columns=tuple(names.strings(node["fk_attrs"])) if "fk_attrs" in node else (column or "",),
        referenced_schema=referenced.schema,
        referenced_table=referenced.name,
        referenced_columns=tuple(names.strings(node.get("pk_attrs", []))),
        name=node.get("conname"),
        on_delete=_ACTIONS[node.get("fk_del_action", "a")],
        on_update=_ACTIONS[node.get("fk_upd_action", "a")],
        match_full=node.get("fk_matchtype", "s") == "f",
        deferrable=bool(node.get("deferrable")),
        initially_deferred=bool(node.get("initdeferred")),
        validated=not node.get("skip_validation"),
        set_columns=tuple(names.strings(node.get("fk_del_set_cols", []))),
    )


def add_to_new(definer: Definer, table: Table, keys: list[tuple[Node, str | None]]) -> None:
    """The foreign keys of a table that was just made: it has no rows."""
    for node, column in keys:
        current = definer.catalog.table_by_id(table.id)
        # In a transaction's eyes the table is there, also for references to itself.
        definer.analysis.catalog = definer.catalog
        ddl.put_foreign_key(definer.transaction, current, definition(definer, node, column))


async def add_to(definer: Definer, table: Table, node: Node, column: str | None = None) -> None:
    """ALTER TABLE ADD FOREIGN KEY."""
    definer.analysis.catalog = definer.catalog
    wanted = definition(definer, node, column)
    made = replace(wanted, validated=False)
    changed = ddl.put_foreign_key(definer.transaction, table, made)
    if wanted.validated:
        await ddl.validate(
            definer.transaction,
            changed,
            changed.foreign_keys[-1].name,
            wait=definer.alone,
            together=definer.together,
            added=True,
        )


# ---- SET CONSTRAINTS


async def set_constraints(definer: Definer) -> str:
    """SqlError 42704, 42809, 3F000, and 23503 for what IMMEDIATE finds wrong."""
    if definer.alone:
        definer.notice(
            "SET CONSTRAINTS can only be used in transaction blocks", "25P01", severity="WARNING"
        )
        return "SET CONSTRAINTS"
    events = definer.transaction.row_events
    deferred = bool(definer.body.get("deferred"))
    wanted = [item["RangeVar"] for item in definer.body.get("constraints", ())]
    chosen = [constraint for node in wanted for constraint in _named(definer, node)]
    if not wanted:
        events.set_all(deferred)
    for constraint in chosen:
        events.set_one(constraint, deferred)
    if not deferred:
        await check_deferred(definer.transaction, only_immediate=True)
    return "SET CONSTRAINTS"


def _named(definer: Definer, node: Node) -> list[tuple[int, str]]:
    """The constraints of that name in the first schema of the search path that has any."""
    name = node["relname"]
    places = list(definer.settings.search_path)
    if "schemaname" in node:
        if definer.catalog.schema(node["schemaname"]) is None:
            raise SqlError("3F000", f'schema "{node["schemaname"]}" does not exist')
        places = [node["schemaname"]]
    for place in places:
        found: list[tuple[int, str]] = []
        fixed = False
        for table in definer.catalog.tables:
            if table.schema != place:
                continue
            key = table.foreign_key(name) or table.index(name)
            if key is not None and key.deferrable:
                found.append((table.id, name))
            elif name in constraint_names(table):
                fixed = True
        if fixed:
            raise SqlError("42809", f'constraint "{name}" is not deferrable')
        if found:
            return found
    raise SqlError("42704", f'constraint "{name}" does not exist')


async def alter_constraint(definer: Definer, table: Table, command: Node) -> None:
    """ALTER CONSTRAINT: when a foreign key is checked. SqlError 42704, 42809."""
    node = command["def"].get("ATAlterConstraint") or command["def"]["Constraint"]
    if node.get("alterEnforceability") or node.get("alterInheritability"):
        raise SqlError("0A000", "ALTER CONSTRAINT can only say when a constraint is checked")
    deferrable = bool(node.get("deferrable"))
    ddl.set_deferrable(
        definer.transaction,
        table,
        node["conname"],
        deferrable=deferrable,
        initially_deferred=deferrable and bool(node.get("initdeferred")),
    )
