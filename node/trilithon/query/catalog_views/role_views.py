"""Roles as PostgreSQL shows them. Passwords are nobody's to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from trilithon.query.catalog.definitions import Role
from trilithon.query.catalog_views.provider import Row, Viewpoint
from trilithon.types.values import ArrayValue

Rows = Iterable[Row]
_HIDDEN: Final = "********"


def _role(role: Role) -> Row:
    return {
        "oid": role.id,
        "rolname": role.name,
        "rolsuper": role.superuser,
        "rolinherit": True,
        "rolcreaterole": role.superuser,
        "rolcreatedb": role.superuser,
        "rolcanlogin": role.login,
        "rolconnlimit": -1,
    }


def _user(role: Role) -> Row:
    return {
        "usename": role.name,
        "usesysid": role.id,
        "usecreatedb": role.superuser,
        "usesuper": role.superuser,
    }


def _authorisations(view: Viewpoint) -> Rows:
    return map(_role, view.catalog.roles)


def _roles(view: Viewpoint) -> Rows:
    for role in view.catalog.roles:
        yield {**_role(role), "rolpassword": _HIDDEN}


def _users(view: Viewpoint) -> Rows:
    for role in view.catalog.roles:
        if role.login:
            yield {**_user(role), "passwd": _HIDDEN}


def _shadow(view: Viewpoint) -> Rows:
    for role in view.catalog.roles:
        if role.login:
            yield {**_user(role), "userepl": False, "usebypassrls": role.superuser}


def _groups(view: Viewpoint) -> Rows:
    for role in view.catalog.roles:
        if not role.login:
            yield {"groname": role.name, "grosysid": role.id, "grolist": ArrayValue.of(())}


FILLS: Final[dict[tuple[str, str], Callable[[Viewpoint], Rows]]] = {
    ("pg_catalog", "pg_authid"): _authorisations,
    ("pg_catalog", "pg_group"): _groups,
    ("pg_catalog", "pg_roles"): _roles,
    ("pg_catalog", "pg_shadow"): _shadow,
    ("pg_catalog", "pg_user"): _users,
}
