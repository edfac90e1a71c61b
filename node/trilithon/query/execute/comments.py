"""COMMENT ON what is no relation: indexes, schemas, types, functions, constraints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.query.analyse import names
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import Domain, Index, Table
from trilithon.query.execute.define_functions import find_function
from trilithon.query.execute.definitions import Definer
from trilithon.query.parse.statement import Node


def set_comment(definer: Definer, kind: str, body: Node, comment: str) -> bool:
    """Whether comments on this kind of object are kept. SqlError where there is no such object."""
    item = body["object"]
    match kind:
        case "SCHEMA":
            _put(definer, definer.catalog.require_schema(names.strings([item])[0]), comment)
        case "INDEX":
            _index(definer, _strings(item), comment)
        case "TYPE" | "DOMAIN":
            _put(definer, _type(definer, _strings(item), kind == "DOMAIN"), comment)
        case "FUNCTION":
            _put(definer, find_function(definer, item["ObjectWithArgs"], False), comment)
        case "TABCONSTRAINT":
            _table_constraint(definer, _strings(item), comment)
        case "DOMCONSTRAINT":
            _domain_constraint(definer, item["List"]["items"], comment)
        case _:
            return False
    return True


def _strings(item: Node) -> list[str]:
    if "TypeName" in item:
        return names.strings(item["TypeName"]["names"])
    return names.strings(item["List"]["items"])


def _put(definer: Definer, found: Any, comment: str) -> None:
    ddl.set_comment(definer.transaction, found, comment)


def _change(definer: Definer, found: Any, **fields: Any) -> None:
    ddl.put_changed(definer.transaction, found, **fields)


def _index(definer: Definer, path: list[str], comment: str) -> None:
    found = definer.find(path)
    if found is None:
        raise SqlError("42P01", f'relation "{".".join(path)}" does not exist')
    if not isinstance(found, tuple):
        raise SqlError("42809", f'"{path[-1]}" is not an index')
    table, index = found
    _replace_index(definer, table, replace(index, comment=comment))


def _replace_index(definer: Definer, table: Table, index: Index) -> None:
    indexes = tuple(index if one.id == index.id else one for one in table.indexes)
    _change(definer, table, indexes=indexes)


def _type(definer: Definer, path: list[str], domain: bool) -> Any:
    places = (path[-2],) if len(path) > 1 else tuple(definer.settings.search_path)
    found = definer.catalog.find_type(places, path[-1])
    if found is None:
        raise SqlError("42704", f'type "{".".join(path)}" does not exist')
    if domain and not isinstance(found, Domain):
        raise SqlError("42809", f'"{path[-1]}" is not a domain')
    return found


def _table_constraint(definer: Definer, path: list[str], comment: str) -> None:
    *relation, name = path
    table = definer.find(relation)
    if not isinstance(table, Table):
        raise SqlError("42P01", f'relation "{".".join(relation)}" does not exist')
    for index in table.indexes:
        if index.name == name and (index.constraint or index.primary):
            _replace_index(definer, table, replace(index, constraint_comment=comment))
            return
    for check in table.checks:
        if check.name == name:
            made = replace(check, comment=comment)
            _change(definer, table, checks=tuple(made if c is check else c for c in table.checks))
            return
    for key in table.foreign_keys:
        if key.name == name:
            changed = replace(key, comment=comment)
            keys = tuple(changed if k is key else k for k in table.foreign_keys)
            _change(definer, table, foreign_keys=keys)
            return
    raise SqlError("42704", f'constraint "{name}" for table "{table.name}" does not exist')


def _domain_constraint(definer: Definer, items: list[Node], comment: str) -> None:
    domain = _type(definer, _strings(items[0]), True)
    (name,) = names.strings(items[1:])
    known = [check for check in domain.checks if check.name == name]
    if not known:
        raise SqlError("42704", f'constraint "{name}" for domain {domain.name} does not exist')
    made = replace(known[0], comment=comment)
    checks = tuple(made if check is known[0] else check for check in domain.checks)
    _change(definer, domain, checks=checks)
