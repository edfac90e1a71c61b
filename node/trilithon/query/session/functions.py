"""Functions that answer from the session: who, where, which settings.

`EvalContext.session` is the `Session`. Registered once, when a query processor starts (or a test asks
for it); what somebody else registered under the same signature stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import FUNCTIONS, STABLE, VOLATILE, function
from trilithon.query.session.parameter_table import PARAMETERS
from trilithon.types.values import ArrayValue

_ENCODINGS: Final = {0: "SQL_ASCII", 6: "UTF8"}
_IMPLICIT_SCHEMA: Final = "pg_catalog"


def _schemas(ctx: Any) -> list[str]:
    """The search path's schemas that exist, "$user" replaced."""
    session = ctx.session
    catalog = session.catalog
    found: list[str] = []
    for name in session.search_path:
        schema = session.current_user if name == "$user" else name
        if schema not in found and (catalog is None or catalog.schema(schema) is not None):
            found.append(schema)
    return found


def _current_schemas(ctx: Any, implicit: bool) -> ArrayValue:
    schemas = _schemas(ctx)
    if implicit and _IMPLICIT_SCHEMA not in schemas:
        schemas.insert(0, _IMPLICIT_SCHEMA)
    return ArrayValue.of(schemas)


def _set_config(ctx: Any, name: str | None, value: str | None, is_local: bool | None) -> str:
    if name is None:
        raise SqlError("22004", "SET requires parameter name")
    return str(ctx.session.set_config(name, value or "", bool(is_local)))


def _encoding_number(_: Any, name: str) -> int:
    wanted = "".join(filter(str.isalnum, name)).upper()
    for number, known in _ENCODINGS.items():
        if known.replace("_", "") == wanted:
            return number
    return -1


def _version(_: Any) -> str:
    return "PostgreSQL " + PARAMETERS["server_version"].default


def _client_host(ctx: Any) -> str | None:
    """None where the client is not known by an address. A text: there is no type inet."""
    return ctx.session.client_address.rpartition(":")[0].strip("[]") or None


def _client_port(ctx: Any) -> int | None:
    port = ctx.session.client_address.rpartition(":")[2]
    return int(port) if port.isdigit() else None


def _find_session(ctx: Any, pid: int) -> Any:
    """Raises SqlError 42501 for another user's session, unless a superuser asks."""
    found = next((one for one in ctx.session.services.live if one.backend_id == pid), None)
    if pid <= 0 or found is None:
        ctx.session.notice(
            "01000", f"PID {pid} is not a PostgreSQL backend process", severity="WARNING"
        )
        return None
    catalog = ctx.session.catalog
    role = catalog.role(ctx.session.current_user) if catalog is not None else None
    if found.session_user != ctx.session.session_user and not (role and role.superuser):
        raise SqlError("42501", "must be a member of the role whose query is being canceled")
    return found


def _cancel_backend(ctx: Any, pid: int) -> bool:
    found = _find_session(ctx, pid)
    if found is not None:
        found.cancel()
    return found is not None


def _terminate_backend(ctx: Any, pid: int) -> bool:
    found = _find_session(ctx, pid)
    if found is None or found.terminate is None:
        return False
    message = "terminating connection due to administrator command"
    found.terminate(SqlError("57P01", message, severity="FATAL"))
    return True


_STABLE: Final[Sequence[tuple[str, Callable[..., Any]]]] = (
    ("current_user() -> name", lambda ctx: ctx.session.current_user),
    ("current_role() -> name", lambda ctx: ctx.session.current_user),
    ("user() -> name", lambda ctx: ctx.session.current_user),
    ("session_user() -> name", lambda ctx: ctx.session.session_user),
    ("current_database() -> name", lambda ctx: ctx.session.current_database),
    ("current_catalog() -> name", lambda ctx: ctx.session.current_database),
    ("current_schema() -> name", lambda ctx: next(iter(_schemas(ctx)), None)),
    ("current_schemas(bool) -> name[]", _current_schemas),
    ("current_setting(text) -> text", lambda ctx, name: ctx.session.current_setting(name)),
    (
        "current_setting(text, bool) -> text",
        lambda ctx, name, missing_ok: ctx.session.current_setting(name, missing_ok),
    ),
    ("current_query() -> text", lambda ctx: ctx.session.query_text),
    ("pg_backend_pid() -> int4", lambda ctx: ctx.session.backend_id),
    ("pg_client_encoding() -> name", lambda ctx: ctx.session.settings.client_encoding),
    ("getdatabaseencoding() -> name", lambda _: "UTF8"),
    ("pg_encoding_to_char(int4) -> name", lambda _, number: _ENCODINGS.get(number, "")),
    ("pg_char_to_encoding(name) -> int4", _encoding_number),
    ("pg_is_in_recovery() -> bool", lambda _: False),
    ("pg_my_temp_schema() -> oid", lambda _: 0),
    ("pg_is_other_temp_schema(oid) -> bool", lambda _, __: False),
    ("version() -> text", _version),
    ("pg_postmaster_start_time() -> timestamptz", lambda ctx: ctx.session.services.started_us),
    ("pg_conf_load_time() -> timestamptz", lambda ctx: ctx.session.services.started_us),
    ("inet_client_addr() -> text", _client_host),
    ("inet_client_port() -> int4", _client_port),
    # Clients come through whatever stands before a query processor: its own address is not what they see.
    ("inet_server_addr() -> text", lambda _: None),
    ("inet_server_port() -> int4", lambda _: None),
    # Nothing locks.
    ("pg_blocking_pids(int4) -> int4[]", lambda _, __: ArrayValue.of(())),
    ("pg_safe_snapshot_blocking_pids(int4) -> int4[]", lambda _, __: ArrayValue.of(())),
)

# Without locks there is none to give back; connection pools call it to reset a session.
_VOLATILE: Final[Sequence[tuple[str, Callable[..., Any]]]] = (
    ("pg_advisory_unlock_all() -> void", lambda _: ""),
    ("pg_cancel_backend(int4) -> bool", _cancel_backend),
    ("pg_terminate_backend(int4) -> bool", _terminate_backend),
)


@cache
def register_session_functions() -> None:
    for signature, call in _STABLE:
        if not _known(signature):
            function(signature, context=True, volatility=STABLE, nullable=True)(call)
    for signature, call in _VOLATILE:
        if not _known(signature):
            function(signature, context=True, volatility=VOLATILE)(call)
    if not _known("set_config(text, text, bool) -> text"):
        function(
            "set_config(text, text, bool) -> text",
            context=True,
            strict=False,
            volatility=VOLATILE,
        )(_set_config)


def _known(signature: str) -> bool:
    return signature.partition(" ->")[0].replace(", ", ",") in FUNCTIONS
