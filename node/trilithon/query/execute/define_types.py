"""CREATE, ALTER and DROP of enumerated types and of domains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import ir
from trilithon.expression.compile import compile_filter
from trilithon.query.analyse import domains, names, table_expressions
from trilithon.query.analyse.tree import CheckExpression
from trilithon.query.catalog import ddl, ddl_types
from trilithon.query.catalog.changes import choose_name, put_object
from trilithon.query.catalog.definitions import Check, Domain, Enum, UserType
from trilithon.query.execute.bound_defaults import bound_default
from trilithon.query.execute.definitions import Definer, Handler
from trilithon.query.parse.deparse import expression_text
from trilithon.query.parse.statement import Node


def _schema_and_name(definer: Definer, items: list[Node]) -> tuple[str, str]:
    path = names.strings(items)
    return definer.creation_schema(path[-2] if len(path) > 1 else None), path[-1]


def _find(definer: Definer, path: list[str]) -> UserType | None:
    places = path[-2:-1] or list(definer.settings.search_path)
    if len(path) > 1 and definer.catalog.schema(path[-2]) is None:
        raise SqlError("3F000", f'schema "{path[-2]}" does not exist')
    found: UserType | None = definer.catalog.find_type(tuple(places), path[-1])
    return found


def _require(definer: Definer, items: list[Node], kind: type) -> Any:
    path = names.strings(items)
    found = _find(definer, path)
    shown = ".".join(path)
    if found is None:
        raise SqlError("42704", f'type "{shown}" does not exist')
    if not isinstance(found, kind):
        words = "an enum" if kind is Enum else "a domain"
        raise SqlError("42809", f"{shown} is not {words}")
    return found


# ---- enumerated types


async def _create_enum(definer: Definer) -> str:
    schema, name = _schema_and_name(definer, definer.body["typeName"])
    labels = tuple(names.strings(definer.body.get("vals", [])))
    await ddl_types.create_enum(definer.transaction, schema, name, labels)
    return "CREATE TYPE"


async def _alter_enum(definer: Definer) -> str:
    body = definer.body
    enum = _require(definer, body["typeName"], Enum)
    if "oldVal" in body:
        # Values carry their labels: renaming one would have to rewrite every row.
        raise SqlError("0A000", "ALTER TYPE ... RENAME VALUE is not supported")
    label = body["newVal"]
    if label in enum.labels and body.get("skipIfNewValExists"):
        definer.notice(f'enum label "{label}" already exists, skipping', "42710")
        return "ALTER TYPE"
    ddl_types.add_label(
        definer.transaction,
        enum,
        label,
        neighbour=body.get("newValNeighbor"),
        after=bool(body.get("newValIsAfter")),
    )
    return "ALTER TYPE"


# ---- domains


async def _create_domain(definer: Definer) -> str:
    body = definer.body
    schema, name = _schema_and_name(definer, body["domainname"])
    analysis = definer.analysis
    base = names.resolve_type(analysis, body["typeName"])
    if names.find_domain(analysis, body["typeName"]) is not None:
        raise SqlError("0A000", "a domain over a domain is not supported")
    domain = Domain(0, 0, schema, name, base)
    for item in body.get("constraints", ()):
        domain = _with_constraint(definer, domain, item["Constraint"])
    await ddl_types.create_domain(
        definer.transaction,
        schema,
        name,
        base,
        not_null=domain.not_null,
        default=domain.default,
        default_uses=domain.default_uses,
        checks=domain.checks,
    )
    return "CREATE DOMAIN"


def _with_constraint(definer: Definer, domain: Domain, node: Node) -> Domain:
    kind = node["contype"].removeprefix("CONSTR_")
    match kind:
        case "NOTNULL":
            return replace(domain, not_null=True)
        case "NULL":
            return domain
        case "DEFAULT":
            return _with_default(definer, domain, node["raw_expr"])
        case "CHECK":
            return replace(domain, checks=(*domain.checks, _check(definer, domain, node)))
        case _:
            raise SqlError("42601", f"{kind.lower()} constraints not possible for domains")


def _with_default(definer: Definer, domain: Domain, node: Node | None) -> Domain:
    if node is None:
        return replace(domain, default=None, default_uses=())
    table_expressions.require_constant(node)
    from trilithon.query.analyse import coercion

    value = table_expressions.analyse_node(definer.analysis, node, None, ())
    coercion.assign(definer.analysis, value, domain.base, domain.name, None)
    text, uses = bound_default(definer, node)
    return replace(domain, default=text, default_uses=uses)


def _check(definer: Definer, domain: Domain, node: Node) -> Check:
    expression = node["raw_expr"]
    table_expressions.require_no_subquery(expression, "check constraint")
    domains.condition(definer.analysis, expression, ir.Column(0, domain.base))
    taken = {check.name for check in domain.checks}
    name = node.get("conname") or choose_name(domain.name, "", "check", lambda one: one in taken)
    if name in taken:
        raise SqlError("42710", f'constraint "{name}" for domain "{domain.name}" already exists')
    validated = not node.get("skip_validation")
    return Check(name, expression_text(expression), validated=validated)


async def _alter_domain(definer: Definer) -> str:
    body = definer.body
    domain: Domain = _require(definer, body["typeName"], Domain)
    changed = domain
    match body["subtype"]:
        case "T":
            changed = _with_default(definer, domain, body.get("def"))
        case "N":
            changed = replace(domain, not_null=False)
        case "O":
            changed = replace(domain, not_null=True)
            await _validate(definer, domain, replace(changed, checks=()))
        case "C":
            changed = _with_constraint(definer, domain, body["def"]["Constraint"])
            added = changed.checks[len(domain.checks) :]
            if added and added[0].validated:
                await _validate(definer, domain, replace(changed, checks=added, not_null=False))
        case "X":
            kept = tuple(check for check in domain.checks if check.name != body["name"])
            if len(kept) == len(domain.checks):
                if not body.get("missing_ok"):
                    raise _no_constraint(domain, body["name"])
                definer.notice(
                    f'constraint "{body["name"]}" of domain "{domain.name}" does not exist, skipping'
                )
            changed = replace(domain, checks=kept)
        case "V":
            named = [check for check in domain.checks if check.name == body["name"]]
            if not named:
                raise _no_constraint(domain, body["name"])
            await _validate(definer, domain, replace(domain, checks=tuple(named), not_null=False))
            checks = [
                replace(check, validated=True) if check in named else check
                for check in domain.checks
            ]
            changed = replace(domain, checks=tuple(checks))
    ddl_types.alter_domain(definer.transaction, changed)
    return "ALTER DOMAIN"


def _no_constraint(domain: Domain, name: str) -> SqlError:
    return SqlError("42704", f'constraint "{name}" of domain "{domain.name}" does not exist')


async def _validate(definer: Definer, domain: Domain, wanted: Domain) -> None:
    """Every value of the domain in any table follows the rules of `wanted`."""
    for table, column in ddl_types.users_of_type(definer.transaction, domain.id):
        value = ir.Column(column.number - 1, column.type)
        for rule in domains.rules(definer.analysis, wanted, value):
            if await ddl_types.find_row(definer.transaction, table, _violates(definer, rule)):
                if not rule.name:
                    raise SqlError(
                        "23502",
                        f'column "{column.name}" of table "{table.name}" contains null values',
                    )
                raise SqlError(
                    "23514",
                    f'column "{column.name}" of table "{table.name}" contains values that violate '
                    "the new constraint",
                    constraint=rule.name,
                )


def _violates(definer: Definer, rule: CheckExpression) -> Callable[[Sequence[Any]], bool]:
    failing = compile_filter(ir.Not(rule.expression))
    context = definer.eval_context()
    return lambda row: bool(failing([row], context))


# ---- both


async def drop_types(
    definer: Definer, paths: list[list[str]], missing_ok: bool, cascade: bool, kind: str
) -> None:
    for path in paths:
        shown = ".".join(path)
        found = _find(definer, path)
        if found is None:
            if not missing_ok:
                raise SqlError("42704", f'type "{shown}" does not exist')
            definer.notice(f'type "{shown}" does not exist, skipping')
            continue
        if kind == "DOMAIN" and not isinstance(found, Domain):
            raise SqlError("42809", f'"{shown}" is not a domain')
        users = ddl_types.drop_type(definer.transaction, found, cascade=cascade)
        for table, column in users:
            current = definer.catalog.table_by_id(table.id)
            ddl.drop_column(definer.transaction, current, column.name, cascade=True)
        if users:
            definer.notices([f"column {c.name} of table {t.name}" for t, c in users])
            ddl_types.drop_type(definer.transaction, found)


async def rename_type(definer: Definer) -> str:
    body = definer.body
    found = _require(definer, body["object"]["List"]["items"], UserType)  # type: ignore[arg-type]
    schema = definer.catalog.require_schema(found.schema)
    ddl_types.require_free_type_name(definer.transaction, schema, body["newname"])
    put_object(definer.transaction, replace(found, name=body["newname"], version=found.version + 1))
    return "ALTER DOMAIN" if body["renameType"] == "OBJECT_DOMAIN" else "ALTER TYPE"


HANDLERS: Final[dict[str, Handler]] = {
    "CreateEnumStmt": _create_enum,
    "AlterEnumStmt": _alter_enum,
    "CreateDomainStmt": _create_domain,
    "AlterDomainStmt": _alter_domain,
}
