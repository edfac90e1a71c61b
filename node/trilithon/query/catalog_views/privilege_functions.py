"""has_*_privilege() and pg_has_role(): everybody may do everything yet, but what is asked of must exist.

Registered when this module is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.catalog.definitions import Domain, Enum, Function, Sequence, Table, View
from trilithon.query.catalog_views import (
    builtin_objects,
    builtin_rows,
    functions,
    object_names,
    objects,
)
from trilithon.query.catalog_views.registration import catalog_of, path_of, stable
from trilithon.types.registry import REGTYPE, USER_ARRAY

_REGPROCEDURE: Final = 2202
_RELATION: Final = (
    "select",
    "insert",
    "update",
    "delete",
    "truncate",
    "references",
    "trigger",
    "rule",
)
_PRIVILEGES: Final = {
    "table": _RELATION,
    "any_column": ("select", "insert", "update", "references"),
    "column": ("select", "insert", "update", "references"),
    "sequence": ("usage", "select", "update"),
    "database": ("create", "temporary", "temp", "connect"),
    "function": ("execute",),
    "language": ("usage",),
    "schema": ("create", "usage"),
    "tablespace": ("create",),
    "type": ("usage",),
    "foreign_data_wrapper": ("usage",),
    "server": ("usage",),
    "parameter": ("set", "alter system"),
}
_ROLE_PRIVILEGES: Final = ("usage", "member")
# Whether an object exists: by its text (raises SqlError), by its oid.
_Finder = Callable[[Any, Any], bool]


def _check_privileges(kind: str, text: str) -> None:
    """A list of privileges, each perhaps WITH GRANT OPTION. Raises SqlError 22023."""
    for one in text.split(","):
        word = one.strip().lower().removesuffix(" with grant option")
        if word not in _PRIVILEGES[kind]:
            raise SqlError("22023", f'unrecognized privilege type: "{one.strip()}"')


def _check_role(context: Any, role: str | int) -> None:
    """Raises SqlError 42704. An oid that is no role's owns nothing; it may what all may. Who is connected need
    not be in the catalog."""
    session = context.session
    known = ("public", session.current_user, session.session_user)
    if isinstance(role, str) and role not in known and catalog_of(context).role(role) is None:
        raise SqlError("42704", f'role "{role}" does not exist')


# ---- what there is, by name (raising) and by number


def _relation(context: Any, named: str | int) -> bool:
    catalog = catalog_of(context)
    if isinstance(named, str):
        functions.regclass_of(catalog, path_of(context), named)
        return True
    found = isinstance(catalog.object_by_id(named), Table | View | Sequence)
    return found or functions.class_name(catalog, path_of(context), named) != str(named)


def _sequence(context: Any, named: str | int) -> bool:
    catalog = catalog_of(context)
    oid = (
        functions.regclass_of(catalog, path_of(context), named) if isinstance(named, str) else named
    )
    found = isinstance(catalog.object_by_id(oid), Sequence)
    if not found and isinstance(named, str):
        raise SqlError("42809", f'"{named}" is not a sequence')
    return found


def _function(context: Any, named: str | int) -> bool:
    catalog = catalog_of(context)
    if isinstance(named, str):
        object_names.resolve(catalog, path_of(context), _REGPROCEDURE, named)
        return True
    return (
        isinstance(catalog.object_by_id(named), Function) or named in builtin_objects.procedures()
    )


def _type(context: Any, named: str | int) -> bool:
    catalog = catalog_of(context)
    if isinstance(named, str):
        object_names.resolve(catalog, path_of(context), REGTYPE.oid, named)
        return True
    found = isinstance(catalog.object_by_id(named & ~USER_ARRAY), Enum | Domain)
    return found or any(row["oid"] == named for row in builtin_objects.types())


def _schema(context: Any, named: str | int) -> bool:
    catalog = catalog_of(context)
    if isinstance(named, str):
        catalog.require_schema(named)
        return True
    return any(schema.id == named for schema in catalog.schemas)


def _database(context: Any, named: str | int) -> bool:
    if isinstance(named, str) and named != context.session.current_database:
        raise SqlError("3D000", f'database "{named}" does not exist')
    return isinstance(named, str) or named == objects.DATABASE_OID


def _listed(what: str, names: Callable[[], dict[str, int]]) -> _Finder:
    def find(context: Any, named: str | int) -> bool:
        known = names()
        if isinstance(named, str) and named not in known:
            raise SqlError("42704", f'{what} "{named}" does not exist')
        return isinstance(named, str) or named in known.values()

    return find


def _named(table: str, key: str) -> Callable[[], dict[str, int]]:
    return lambda: {row[key]: row["oid"] for row in builtin_rows.FIXED["pg_catalog", table]()}


_FINDERS: Final[dict[str, _Finder]] = {
    "table": _relation,
    "any_column": _relation,
    "sequence": _sequence,
    "function": _function,
    "type": _type,
    "schema": _schema,
    "database": _database,
    "language": _listed("language", _named("pg_language", "lanname")),
    "tablespace": _listed("tablespace", _named("pg_tablespace", "spcname")),
    "foreign_data_wrapper": _listed("foreign-data wrapper", dict),
    "server": _listed("server", dict),
}


# ---- the functions


def _define(kind: str, find: _Finder) -> None:
    def answer(context: Any, *arguments: Any) -> bool | None:
        *role, named, privileges = arguments
        for one in role:
            _check_role(context, one)
        # By an oid that names nothing the answer is NULL; its privileges are read all the same.
        found = find(context, named)
        _check_privileges(kind, privileges)
        return True if found else None

    for named in ("text", "oid"):
        for role in ("", "name, ", "oid, "):
            stable(f"has_{kind}_privilege({role}{named}, text) -> bool")(answer)


def _column_answer(context: Any, *arguments: Any) -> bool | None:
    *role, relation, column, privileges = arguments
    for one in role:
        _check_role(context, one)
    catalog, path = catalog_of(context), path_of(context)
    oid = functions.regclass_of(catalog, path, relation) if isinstance(relation, str) else relation
    found = _has_column(catalog, path, oid, column)
    _check_privileges("column", privileges)
    return True if found else None


def _has_column(catalog: Any, path: tuple[str, ...], oid: int, column: str | int) -> bool:
    relation = catalog.object_by_id(oid)
    if isinstance(relation, Table | View):
        columns: Any = relation.columns
        names = {
            number: one.name
            for number, one in enumerate(columns, 1)
            if not getattr(one, "dropped", False)
        }
    else:
        known = functions.virtual_by_oid(oid)
        names = {} if known is None else dict(enumerate((name for name, _ in known.columns), 1))
    if isinstance(column, int):
        return column in names
    if names and column not in names.values():
        called = functions.class_name(catalog, path, oid)
        raise SqlError("42703", f'column "{column}" of relation "{called}" does not exist')
    return bool(names)


for _kind, _find in _FINDERS.items():
    _define(_kind, _find)
for _role in ("", "name, ", "oid, "):
    for _table in ("text", "oid"):
        for _column in ("text", "int2"):
            stable(f"has_column_privilege({_role}{_table}, {_column}, text) -> bool")(
                _column_answer
            )


def _parameter_answer(context: Any, *arguments: Any) -> bool:
    *role, _parameter, privileges = arguments
    for one in role:
        _check_role(context, one)
    _check_privileges("parameter", privileges)
    return True


for _role in ("", "name, ", "oid, "):
    stable(f"has_parameter_privilege({_role}text, text) -> bool")(_parameter_answer)


def _has_role(context: Any, *arguments: Any) -> bool:
    """Whoever asks about himself, and a superuser about anybody: there are no memberships."""
    *who, target, privileges = arguments
    for one in privileges.split(","):
        word = one.strip().lower()
        for suffix in (" with grant option", " with admin option"):
            word = word.removesuffix(suffix)
        if word not in _ROLE_PRIVILEGES:
            raise SqlError("22023", f'unrecognized privilege type: "{one.strip()}"')
    asking = who[0] if who else context.session.current_user
    if asking == target == context.session.current_user:
        return True
    member, wanted = _role_of(context, asking), _role_of(context, target)
    return member is not None and (member is wanted or member.superuser)


def _role_of(context: Any, role: str | int) -> Any:
    catalog = catalog_of(context)
    if isinstance(role, int):
        return next((one for one in catalog.roles if one.id == role), None)
    found = catalog.role(role)
    if found is None:
        raise SqlError("42704", f'role "{role}" does not exist')
    return found


for _signature in ("name", "oid", "name, name", "name, oid", "oid, name", "oid, oid"):
    stable(f"pg_has_role({_signature}, text) -> bool")(_has_role)
