"""Rows about sessions of this query processor: who is connected and does what, prepared statements, cursors,
parameters. Other query processors' sessions are theirs to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from trilithon.query.catalog_views import facts, objects
from trilithon.query.catalog_views.provider import Row, Viewpoint
from trilithon.types.values import ArrayValue

Rows = Iterable[Row]
# As much of a statement as PostgreSQL shows (track_activity_query_size).
_QUERY_BYTES: Final = 1024
_HIDDEN: Final = "<insufficient privilege>"
_CONTEXTS: Final = {"user": "user", "start": "backend", "server": "sighup", "fixed": "internal"}
_OTHER_CATEGORY: Final = "Customized Options"


def _sessions(view: Viewpoint) -> list[Any]:
    services = getattr(view.session, "services", None)
    found = list(getattr(services, "live", ()))
    return sorted(found, key=lambda session: (session.started_us, session.backend_id))


def _may_see(view: Viewpoint, session: Any) -> bool:
    """A superuser sees all, others see their own user's sessions."""
    role = view.catalog.role(view.session.current_user)
    same: bool = session.session_user == view.session.session_user
    return same or (role is not None and bool(role.superuser))


def _state(session: Any) -> str:
    if session.busy:
        return "active"
    return {"I": "idle", "E": "idle in transaction (aborted)"}.get(
        session.status_letter, "idle in transaction"
    )


def _activity(view: Viewpoint) -> Rows:
    for session in _sessions(view):
        role = view.catalog.role(session.session_user)
        known = {
            "datid": objects.DATABASE_OID,
            "datname": session.current_database,
            "pid": session.backend_id or None,
            "usesysid": role.id if role is not None else None,
            "usename": session.session_user,
            "application_name": session.settings.get("application_name"),
        }
        if not _may_see(view, session):
            yield known | {"query": _HIDDEN}
            continue
        host, _, port = session.client_address.rpartition(":")
        waiting = not session.busy
        yield known | {
            "client_addr": host.strip("[]") or None,
            "client_port": int(port) if port.isdigit() else None,
            "backend_start": session.started_us,
            "xact_start": None if session.status_letter == "I" else session.transaction_time_us,
            "query_start": session.statement_time_us or None,
            "state_change": session.state_changed_us,
            "wait_event_type": "Client" if waiting else None,
            "wait_event": "ClientRead" if waiting else None,
            "state": _state(session),
            "query": session.query_text.encode()[:_QUERY_BYTES].decode("utf-8", "ignore"),
            "backend_type": "client backend",
        }


def _databases(view: Viewpoint) -> Rows:
    """What is counted: commits and rollbacks of this query processor since it started."""
    services = getattr(view.session, "services", None)
    if services is not None:
        yield {
            "datid": objects.DATABASE_OID,
            "datname": view.session.current_database,
            "numbackends": len(_sessions(view)),
            "xact_commit": services.counters.commits,
            "xact_rollback": services.counters.rollbacks,
        }


def _prepared_statements(view: Viewpoint) -> Rows:
    for name, prepared in getattr(view.session, "statements", {}).items():
        if name and prepared.statement is not None:
            yield {
                "name": name,
                "statement": prepared.statement.text,
                "prepare_time": prepared.prepared_at_us,
                "parameter_types": ArrayValue.of(ref.oid for ref in prepared.parameter_types),
                "from_sql": prepared.from_sql,
            }


def _cursors(view: Viewpoint) -> Rows:
    for name, portal in getattr(view.session, "portals", {}).items():
        statement = portal.prepared.statement
        yield {
            "name": name,
            "statement": "" if statement is None else statement.text,
            "is_holdable": portal.hold,
            "is_binary": False,
            "is_scrollable": portal.scroll,
            "creation_time": portal.created_at_us,
        }


def _settings(view: Viewpoint) -> Rows:
    listing = getattr(getattr(view.session, "settings", None), "listed", None)
    for parameter, value, reset in listing() if listing is not None else ():
        limited = parameter.kind in ("integer", "real")
        yield {
            "name": parameter.name,
            "setting": value,
            "unit": parameter.unit or None,
            "category": facts.setting_categories().get(parameter.name, _OTHER_CATEGORY),
            "short_desc": parameter.description or None,
            "context": _CONTEXTS[parameter.context],
            "vartype": parameter.kind,
            "source": "default" if value == parameter.default else "session",
            "min_val": f"{parameter.minimum:g}" if limited else None,
            "max_val": f"{parameter.maximum:g}" if limited else None,
            "enumvals": ArrayValue.of(parameter.choices) if parameter.choices else None,
            "boot_val": parameter.default,
            "reset_val": reset,
            "pending_restart": False,
        }


FILLS: Final[dict[tuple[str, str], Callable[[Viewpoint], Rows]]] = {
    ("pg_catalog", name): fill
    for name, fill in {
        "pg_stat_activity": _activity,
        "pg_stat_database": _databases,
        "pg_prepared_statements": _prepared_statements,
        "pg_cursors": _cursors,
        "pg_settings": _settings,
    }.items()
}
