"""One session's parameters: SET, SET LOCAL, RESET, SHOW, with the transaction's undo.

Two layers over the defaults: the session's values and the transaction's LOCAL values. Both are
immutable dicts that a SET replaces, so that a savepoint is two references. Values that the hot path
needs (I/O settings, search path, timeouts) are derived once per change; `version` grows with every
change, so that anybody can tell cheaply that nothing changed.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.query.reads.past import Leaseless
from trilithon.query.session import parameters, past_points
from trilithon.query.session.parameter_table import PARAMETERS, REPORTED
from trilithon.query.session.parameters import Parameter, invalid_value
from trilithon.types.settings import IoSettings, zone_or_none

# By name without anything but letters and digits, as PostgreSQL looks encodings up.
_ENCODINGS: Final = {"utf8": "UTF8", "unicode": "UTF8", "sqlascii": "SQL_ASCII"}
_MODES: Final = ("transaction_isolation", "transaction_read_only", "transaction_deferrable")
_SIGNED_HOURS_MAX: Final = 168
SETTINGS_MAX: Final = 1_000
SETTING_BYTES_MAX: Final = 1024 * 1024
# NAMEDATALEN - 1: application_name is cut there.
_NAME_BYTES_MAX: Final = 63


@dataclass(frozen=True, slots=True)
class Modes:
    """What BEGIN or SET TRANSACTION chose for one transaction."""

    isolation: str
    read_only: bool
    deferrable: bool

    @property
    def serializable(self) -> bool:
        return self.isolation == "serializable"


class SessionSettings:
    """`user` and `database` are the session's; `modes` is the current transaction's, None outside."""

    __slots__ = (
        "_local",
        "_reset",
        "_saved",
        "_session",
        "client_encoding",
        "client_min_messages",
        "database",
        "default_modes",
        "idle_in_transaction_timeout_ms",
        "idle_timeout_ms",
        "io",
        "io_key",
        "leaseless",
        "modes",
        "plan_key",
        "search_path",
        "session_user",
        "statement_timeout_ms",
        "user",
        "version",
    )

    io: IoSettings

    def __init__(self, user: str, database: str) -> None:
        self.user = user
        self.session_user = user
        self.database = database
        self.modes: Modes | None = None
        self.version = 0
        self._reset: dict[str, str] = {"session_authorization": user}
        self._session: Mapping[str, str] = dict(self._reset)
        self._local: Mapping[str, str] = {}
        # (savepoint name or None for the transaction itself, session layer, local layer)
        self._saved: list[tuple[str | None, Mapping[str, str], Mapping[str, str]]] = []
        self._derive()

    # ---- values

    def get(self, name: str) -> str:
        """The canonical value. Raises SqlError 42704 for an unknown parameter."""
        key = name.lower()
        if key in _MODES:
            return self._mode(key)
        value = self._local.get(key)
        if value is None:
            value = self._session.get(key)
        if value is None:
            parameter = PARAMETERS.get(key)
            if parameter is None:
                raise unrecognized(name)
            value = parameter.default
        return value

    def show(self, name: str) -> str:
        """As SHOW and current_setting() print it."""
        value = self.get(name)
        parameter = PARAMETERS.get(name.lower())
        return parameters.shown(parameter, value) if parameter else value

    def display_name(self, name: str) -> str:
        parameter = PARAMETERS.get(name.lower())
        return parameter.name if parameter else name.lower()

    def all(self) -> Iterator[tuple[str, str, str]]:
        """(name, value, description) of everything that SHOW ALL lists, in order of name."""
        custom = {
            key: Parameter(key, "string", "")
            for key in (*self._session, *self._local)
            if key not in PARAMETERS
        }
        for key, parameter in sorted({**PARAMETERS, **custom}.items()):
            if not parameter.hidden:
                yield parameter.name, self.show(key), parameter.description

    def listed(self) -> Iterator[tuple[Parameter, str, str]]:
        """(parameter, its value, the value that RESET returns to) for pg_settings, without units."""
        for name, _, _ in self.all():
            key = name.lower()
            parameter = PARAMETERS.get(key) or Parameter(key, "string", "")
            yield parameter, self.get(name), self._reset.get(key, parameter.default)

    def reported(self) -> list[tuple[str, str]]:
        """The (name, value) pairs of ParameterStatus."""
        return [(parameter.name, self.get(parameter.name)) for parameter in REPORTED]

    def _mode(self, key: str) -> str:
        modes = self.modes
        if modes is None:
            return self.get("default_" + key)
        if key == "transaction_isolation":
            return modes.isolation
        flag = modes.read_only if key == "transaction_read_only" else modes.deferrable
        return "on" if flag else "off"

    # ---- changes

    def start(self, values: Mapping[str, str]) -> None:
        """The startup packet's values: they become what RESET returns to."""
        for name, text in values.items():
            self._assign(name, text, local=False, starting=True)
        self._reset = dict(self._session)

    def set(self, name: str, text: str, *, local: bool = False) -> None:
        """SET. Raises SqlError 42704, 22023, 55P02, 0A000."""
        self._assign(name, text, local=local, starting=False)

    def reset(self, name: str, *, local: bool = False) -> None:
        key = name.lower()
        if key not in PARAMETERS and key not in self._session and key not in self._local:
            raise unrecognized(name)
        parameter = PARAMETERS.get(key)
        if parameter is not None:
            _changeable(parameter, starting=False)
        default = self._reset.get(key, parameter.default if parameter else "")
        self._store(key, default, local)

    def reset_all(self) -> None:
        self._session, self._local = dict(self._reset), {}
        self._changed()

    def _assign(self, name: str, text: str, *, local: bool, starting: bool) -> None:
        key = name.lower()
        if "\0" in text:
            raise invalid_value(name, text.replace("\0", "?"))
        parameter = PARAMETERS.get(key)
        if parameter is None:
            _check_custom(name)
            value = text
        else:
            _changeable(parameter, starting=starting)
            value = self._special(key, parameters.canonical(parameter, text))
        self._store(key, value, local)

    def _special(self, key: str, value: str) -> str:
        """Parameters whose legal values are not in the table."""
        match key:
            case "timezone":
                return _time_zone(value)
            case "datestyle":
                return _date_style(value, self.get("DateStyle"))
            case "client_encoding":
                encoding = _ENCODINGS.get("".join(filter(str.isalnum, value)).lower())
                if encoding is None:
                    raise SqlError(
                        "22023",
                        f'invalid value for parameter "client_encoding": "{value}"',
                        detail="Trilithon speaks UTF8 only.",
                    )
                return encoding
            case past_points.NAME:
                return past_points.canonical_point(value, self.io)
            case "application_name":
                cut = value.encode()[:_NAME_BYTES_MAX].decode("utf-8", "ignore")
                return "".join(one if " " <= one <= "~" else "?" for one in cut)
            case "session_authorization":
                if value not in (self.session_user, "default"):
                    raise SqlError("0A000", "SET SESSION AUTHORIZATION is not supported")
                return self.session_user
            case "role":
                if value not in (self.session_user, "none"):
                    raise SqlError("0A000", "SET ROLE is not supported")
                return value
            case _:
                return value

    def _store(self, key: str, value: str, local: bool) -> None:
        if local:
            self._local = {**self._local, key: value}
        else:
            session = {**self._session, key: value}
            used = sum(map(len, session)) + sum(map(len, session.values()))
            if len(session) > SETTINGS_MAX or used > SETTING_BYTES_MAX:
                raise SqlError("53400", "too many session parameters")
            self._session = session
            if key in self._local:
                self._local = {one: kept for one, kept in self._local.items() if one != key}
        self._changed()

    # ---- transactions

    @property
    def in_transaction(self) -> bool:
        return bool(self._saved)

    def begin(self) -> None:
        self._saved = [(None, self._session, self._local)]

    def savepoint(self, name: str) -> None:
        self._saved.append((name, self._session, self._local))

    def release(self, name: str) -> None:
        del self._saved[self._index(name) :]

    def rollback_to(self, name: str) -> None:
        index = self._index(name)
        _, session, local = self._saved[index]
        del self._saved[index + 1 :]
        self._restore(session, local)

    def commit(self) -> None:
        self._saved = []
        if self._local:
            self._local = {}
            self._changed()

    def rollback(self) -> None:
        if self._saved:
            _, session, _ = self._saved[0]
            self._saved = []
            self._restore(session, {})

    def _index(self, name: str) -> int:
        for index in range(len(self._saved) - 1, -1, -1):
            if self._saved[index][0] == name:
                return index
        raise SqlError("3B001", f'savepoint "{name}" does not exist')

    def has_savepoint(self, name: str) -> bool:
        return any(saved[0] == name for saved in self._saved)

    def _restore(self, session: Mapping[str, str], local: Mapping[str, str]) -> None:
        if session is not self._session or local is not self._local:
            self._session, self._local = session, local
            self._changed()

    # ---- what the hot path reads

    def _changed(self) -> None:
        self.version += 1
        self._derive()

    def _derive(self) -> None:
        get = self.get
        now_us = self.io.now_us if self.version else 0
        object_name = self.io.object_name if self.version else None
        self.io = IoSettings(
            timezone=get("TimeZone"),
            datestyle=get("DateStyle"),
            intervalstyle=get("IntervalStyle"),
            extra_float_digits=int(get("extra_float_digits")),
            bytea_output=get("bytea_output"),
            now_us=now_us,
            object_name=object_name,
        )
        # What output depends on, hashable.
        self.io_key = (
            self.io.timezone,
            self.io.datestyle,
            self.io.intervalstyle,
            self.io.extra_float_digits,
            self.io.bytea_output,
        )
        self.search_path = split_identifiers(get("search_path"))
        self.statement_timeout_ms = int(get("statement_timeout"))
        self.idle_timeout_ms = int(get("idle_session_timeout"))
        self.idle_in_transaction_timeout_ms = int(get("idle_in_transaction_session_timeout"))
        as_of = past_points.point_of(get(past_points.NAME))
        staleness_us = int(get("trilithon.read_staleness")) * 1_000
        # None: every transaction begins with a snapshot under a lease.
        self.leaseless = Leaseless(as_of, staleness_us) if as_of or staleness_us else None
        self.client_encoding = get("client_encoding")
        self.client_min_messages = get("client_min_messages")
        self.default_modes = Modes(
            get("default_transaction_isolation"),
            get("default_transaction_read_only") == "on",
            get("default_transaction_deferrable") == "on",
        )
        self.plan_key = (
            self.user,
            self.search_path,
            self.io.timezone,
            self.io.datestyle,
            self.io.intervalstyle,
        )


def unrecognized(name: str) -> SqlError:
    return SqlError("42704", f'unrecognized configuration parameter "{name}"')


def _check_custom(name: str) -> None:
    """Two-part names are anybody's own; the prefix "trilithon" is ours."""
    prefix, dot, rest = name.partition(".")
    if not dot or prefix.lower() == "trilithon":
        raise unrecognized(name)
    parts = [prefix, *rest.split(".")]
    if not all(part and (part[0].isalpha() or part[0] == "_") for part in parts):
        raise SqlError(
            "42602",
            f'invalid configuration parameter name "{name}"',
            detail="Custom parameter names must be two or more simple identifiers separated by dots.",
        )


def _changeable(parameter: Parameter, *, starting: bool) -> None:
    if parameter.context == "user" or (starting and parameter.context == "start"):
        return
    match parameter.context:
        case "start":
            detail = "cannot be set after connection start"
        case "fixed":
            detail = "cannot be changed"
        case _:
            detail = "cannot be changed now"
    raise SqlError("55P02", f'parameter "{parameter.name}" {detail}')


def _time_zone(value: str) -> str:
    """A zone's name as zoneinfo knows it; offsets become a POSIX-like "<+01>-01" name."""
    text = value.strip()
    if text.lower() in ("utc", "gmt", "z", "zulu", "default"):
        return "GMT" if text.lower() == "gmt" else "UTC"
    try:
        hours = float(text)
    except ValueError:
        pass
    else:
        return _fixed_offset(value, hours)
    if zone_or_none(text) is None:
        raise invalid_value("TimeZone", value)
    lowered = text.lower()
    # As the tz database spells it.
    return next((name for name in zoneinfo.available_timezones() if name.lower() == lowered), text)


def _fixed_offset(value: str, hours: float) -> str:
    if abs(hours) > _SIGNED_HOURS_MAX or hours != hours:
        raise invalid_value("TimeZone", value)
    minutes = round(abs(hours) * 60)
    if minutes == 0:
        return "UTC"
    east = hours > 0
    whole, rest = divmod(minutes, 60)
    offset = f"{whole:02d}" + (f":{rest:02d}" if rest else "")
    return f"<{'+' if east else '-'}{offset}>{'-' if east else '+'}{offset}"


def _date_style(value: str, current: str) -> str:
    """Merge what was named into the current style. Dates are written as ISO only."""
    style, order = (part.strip() for part in current.split(","))
    words = [word.strip().lower() for word in value.split(",") if word.strip()]
    for word in words:
        match word:
            case "iso":
                style = "ISO"
            case "sql" | "postgres" | "german":
                raise SqlError("0A000", f"DateStyle {word.upper()} is not supported, only ISO is")
            case "ymd":
                order = "YMD"
            case "dmy" | "euro" | "european":
                order = "DMY"
            case "mdy" | "us" | "noneuro" | "noneuropean":
                order = "MDY"
            case "default":
                style, order = "ISO", "MDY"
            case _:
                raise invalid_value("DateStyle", value, detail=f'Unrecognized key word: "{word}".')
    return f"{style}, {order}"


def split_identifiers(text: str) -> tuple[str, ...]:
    """A list of names as search_path writes it: `"$user", public, "A""b"`. Unquoted: lower-cased."""
    names: list[str] = []
    position, end = 0, len(text)
    while position < end:
        if text[position] in " \t\r\n,":
            position += 1
        elif text[position] == '"':
            name, position = _quoted(text, position + 1)
            names.append(name)
        else:
            stop = position
            while stop < end and text[stop] != ",":
                stop += 1
            names.append(text[position:stop].strip().lower())
            position = stop
    return tuple(names)


def _quoted(text: str, position: int) -> tuple[str, int]:
    parts: list[str] = []
    while position < len(text):
        if text[position] != '"':
            parts.append(text[position])
            position += 1
        elif text[position + 1 : position + 2] == '"':
            parts.append('"')
            position += 2
        else:
            return "".join(parts), position + 1
    raise invalid_value("search_path", text, detail="List syntax is invalid.")


def quote_identifier(name: str) -> str:
    """As SET search_path keeps names: quoted unless it is a plain lower-case word."""
    plain = name and (name[0].isalpha() or name[0] == "_") and name == name.lower()
    if plain and all(one.isalnum() or one in "_$" for one in name):
        return name
    return '"' + name.replace('"', '""') + '"'
