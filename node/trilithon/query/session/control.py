"""BEGIN, COMMIT, ROLLBACK, savepoints; SET, RESET, SHOW: PostgreSQL's rules (xact.c, guc.c).

Each function is one statement on one session and gives its Outcome.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.parse.statement import Node, Statement, character_position, walk
from trilithon.query.session.block import Block
from trilithon.query.session.parameters import parse_boolean
from trilithon.query.session.results import Outcome, ResultColumn
from trilithon.query.session.settings import Modes, quote_identifier

if TYPE_CHECKING:
    from trilithon.query.session.session import Session

_ISOLATION_LEVELS: Final = frozenset(
    {"serializable", "repeatable read", "read committed", "read uncommitted"}
)
# Of this session; see query.transaction.timings.
LAST_COMMIT_TIMINGS: Final = "trilithon.last_commit_timings"
_LEVELS: Final = ("DEBUG", "LOG", "NOTICE", "WARNING", "ERROR")
_ENDING: Final = frozenset({"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_ROLLBACK_TO"})
# SET's lists of names are quoted one by one.
_NAME_LISTS: Final = frozenset({"search_path", "temp_tablespaces", "datestyle"})


def passes(severity: str, threshold: str) -> bool:
    """Whether client_min_messages lets a message through."""
    wanted = threshold.upper()
    wanted = "DEBUG" if wanted.startswith("DEBUG") else wanted
    if severity not in _LEVELS or wanted not in _LEVELS:
        return True
    return _LEVELS.index(severity) >= _LEVELS.index(wanted)


def is_ending(statement: Statement) -> bool:
    """COMMIT, ROLLBACK, ROLLBACK TO."""
    return statement.kind == "transaction" and statement.body["kind"] in _ENDING


def check_failed(statement: Statement) -> None:
    """In a failed block only its end is accepted."""
    if is_ending(statement):
        return
    raise failed_transaction()


def refuse_parameters(statement: Statement) -> None:
    """A statement that came without Bind has no parameters. SqlError 42P02."""
    if not statement.template.parameter_count:
        return
    found = [value for key, value in walk(statement.node) if key == "ParamRef"]
    first = min(found, key=lambda one: one.get("location", 0), default={"number": 1})
    raise SqlError(
        "42P02",
        f"there is no parameter ${first.get('number', 0)}",
        position=character_position(statement.source, first.get("location", -1)),
    )


def failed_transaction() -> SqlError:
    return SqlError(
        "25P02",
        "current transaction is aborted, commands ignored until end of transaction block",
    )


def check_outside_block(session: Session, command: str) -> None:
    if session.block is Block.BLOCK:
        raise SqlError("25001", f"{command} cannot run inside a transaction block")


# ---- transactions


async def transaction(session: Session, statement: Statement) -> Outcome:
    body = statement.body
    handler = _TRANSACTION.get(body["kind"])
    if handler is None:
        name = body["kind"].removeprefix("TRANS_STMT_").replace("_", " ")
        name = "PREPARE TRANSACTION" if name == "PREPARE" else name
        raise SqlError("0A000", f"{name} is not supported")
    return await handler(session, body)


async def _begin(session: Session, body: Node) -> Outcome:
    tag = "BEGIN" if body["kind"] == "TRANS_STMT_BEGIN" else "START TRANSACTION"
    options = transaction_options(body.get("options", ()))
    if session.block is Block.BLOCK:
        session.notice("25001", "there is already a transaction in progress", severity="WARNING")
        apply_modes(session, options)
        return Outcome(tag)
    if session.block is Block.IMPLICIT:
        # Statements before BEGIN in the same message belong to the block, as in PostgreSQL.
        apply_modes(session, options)
        session.block = Block.BLOCK
        return Outcome(tag)
    session.enter(Block.BLOCK, _chosen(session.settings.default_modes, options))
    return Outcome(tag)


async def _commit(session: Session, body: Node) -> Outcome:
    modes = session.settings.modes
    if session.block is Block.FAILED:
        session.rollback()
        _chain(session, body, modes)
        return Outcome("ROLLBACK")
    if session.block is not Block.BLOCK:
        _no_transaction(session, body, "COMMIT AND CHAIN")
        await session.end_implicit()
        return Outcome("COMMIT")
    await session.commit()
    _chain(session, body, modes)
    return Outcome("COMMIT")


async def _rollback(session: Session, body: Node) -> Outcome:
    modes = session.settings.modes
    if session.block in (Block.IDLE, Block.IMPLICIT):
        _no_transaction(session, body, "ROLLBACK AND CHAIN")
        session.rollback()
        return Outcome("ROLLBACK")
    session.rollback()
    _chain(session, body, modes)
    return Outcome("ROLLBACK")


def _no_transaction(session: Session, body: Node, chain: str) -> None:
    if body.get("chain"):
        raise SqlError("25P01", f"{chain} can only be used in transaction blocks")
    session.notice("25P01", "there is no transaction in progress", severity="WARNING")


def _chain(session: Session, body: Node, modes: Modes | None) -> None:
    if body.get("chain"):
        session.enter(Block.BLOCK, modes)


async def _savepoint(session: Session, body: Node) -> Outcome:
    _need_block(session, "SAVEPOINT")
    session.savepoint(body["savepoint_name"], await session.begin_transaction())
    return Outcome("SAVEPOINT")


async def _release(session: Session, body: Node) -> Outcome:
    _need_block(session, "RELEASE SAVEPOINT")
    index = _find_savepoint(session, body["savepoint_name"])
    current = await session.begin_transaction()
    current.release(session.savepoints[index][1])
    session.settings.release(body["savepoint_name"])
    del session.savepoints[index:]
    for portal in session.portals.values():
        portal.depth = min(portal.depth, index)
    return Outcome("RELEASE")


async def _rollback_to(session: Session, body: Node) -> Outcome:
    if session.block is not Block.FAILED:
        _need_block(session, "ROLLBACK TO SAVEPOINT")
    session.check_age()
    index = _find_savepoint(session, body["savepoint_name"])
    current = session.transaction
    if current is None:
        raise SqlError("3B001", f'savepoint "{body["savepoint_name"]}" does not exist')
    current.rollback_to(session.savepoints[index][1])
    session.settings.rollback_to(body["savepoint_name"])
    del session.savepoints[index + 1 :]
    session.drop_portals_above(index)
    session.block = Block.BLOCK
    return Outcome("ROLLBACK")


def _need_block(session: Session, command: str) -> None:
    if session.block is not Block.BLOCK:
        raise SqlError("25P01", f"{command} can only be used in transaction blocks")


def _find_savepoint(session: Session, name: str) -> int:
    for index in range(len(session.savepoints) - 1, -1, -1):
        if session.savepoints[index][0] == name:
            return index
    raise SqlError("3B001", f'savepoint "{name}" does not exist')


_TRANSACTION: Final[Mapping[str, Callable[[Any, Node], Awaitable[Outcome]]]] = {
    "TRANS_STMT_BEGIN": _begin,
    "TRANS_STMT_START": _begin,
    "TRANS_STMT_COMMIT": _commit,
    "TRANS_STMT_ROLLBACK": _rollback,
    "TRANS_STMT_SAVEPOINT": _savepoint,
    "TRANS_STMT_RELEASE": _release,
    "TRANS_STMT_ROLLBACK_TO": _rollback_to,
}


# ---- transaction modes


def transaction_options(options: Any) -> dict[str, str]:
    """The DefElems of BEGIN and SET TRANSACTION as parameter names and canonical values."""
    chosen: dict[str, str] = {}
    for option in options:
        element = option["DefElem"]
        value = constant_text(element["arg"])
        name = element["defname"]
        chosen[name] = value if name == "transaction_isolation" else _flag(value)
    return chosen


def _flag(value: str) -> str:
    return "on" if value not in ("0", "off", "false") else "off"


def _chosen(modes: Modes, options: Mapping[str, str]) -> Modes:
    if not options:
        return modes
    flags = {name: value == "on" for name, value in options.items()}
    return Modes(
        options.get("transaction_isolation", modes.isolation),
        flags.get("transaction_read_only", modes.read_only),
        flags.get("transaction_deferrable", modes.deferrable),
    )


def apply_modes(session: Session, options: Mapping[str, str]) -> None:
    """SET TRANSACTION within a transaction: what cannot change after the snapshot is refused."""
    modes = session.settings.modes
    if modes is None:
        return
    begun = session.transaction is not None
    isolation = options.get("transaction_isolation", modes.isolation)
    if isolation != modes.isolation:
        if begun:
            raise SqlError(
                "25001", "SET TRANSACTION ISOLATION LEVEL must be called before any query"
            )
        if session.savepoints:
            raise SqlError(
                "25001",
                "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction",
            )
    read_only = options.get("transaction_read_only")
    if read_only == "off" and modes.read_only and begun:
        raise SqlError("25001", "transaction read-write mode must be set before any query")
    session.settings.modes = _chosen(modes, options)


# ---- SET, RESET, SHOW


async def set_statement(session: Session, statement: Statement) -> Outcome:
    body = statement.body
    name = body.get("name", "")
    local = bool(body.get("is_local"))
    if local and session.block is not Block.BLOCK:
        session.notice(
            "25P01", "SET LOCAL can only be used in transaction blocks", severity="WARNING"
        )
    match body["kind"]:
        case "VAR_SET_MULTI":
            _set_multiple(session, body)
            return Outcome("SET")
        case "VAR_SET_VALUE":
            set_parameter(session, name, argument_text(name, body.get("args", ())), local=local)
            return Outcome("SET")
        case "VAR_SET_DEFAULT":
            _reset(session, name, local=local)
            return Outcome("SET")
        case "VAR_RESET":
            _reset(session, name, local=False)
            return Outcome("RESET")
        case "VAR_RESET_ALL":
            _scoped(session, local=False)
            session.settings.reset_all()
            return Outcome("RESET")
        case _:
            raise SqlError("0A000", "SET FROM CURRENT is not supported here")


def _scoped(session: Session, *, local: bool) -> bool:
    """A SET is undone by a rollback, also that of an implicit transaction. Returns `local`."""
    if session.block is Block.IDLE:
        session.enter(Block.IMPLICIT)
    return local


def set_parameter(session: Session, name: str, text: str, *, local: bool) -> None:
    _scoped(session, local=local)
    lowered = name.lower()
    match lowered:
        case "transaction_isolation":
            if text.lower() not in _ISOLATION_LEVELS:
                raise SqlError("22023", f'invalid value for parameter "{name}": "{text}"')
            apply_modes(session, {lowered: text.lower()})
        case "transaction_read_only" | "transaction_deferrable":
            value = parse_boolean(text)
            if value is None:
                raise SqlError("22023", f'parameter "{name}" requires a Boolean value')
            apply_modes(session, {lowered: "on" if value else "off"})
        case _:
            session.settings.set(name, text, local=local)


def _reset(session: Session, name: str, *, local: bool) -> None:
    _scoped(session, local=local)
    if name.lower().startswith("transaction_"):
        settings = session.settings
        set_parameter(session, name, settings.get("default_" + name), local=local)
    else:
        session.settings.reset(name, local=local)


def _set_multiple(session: Session, body: Node) -> None:
    if body["name"] == "TRANSACTION SNAPSHOT":
        raise SqlError("0A000", "SET TRANSACTION SNAPSHOT is not supported")
    options = transaction_options(body["args"])
    if body["name"] == "SESSION CHARACTERISTICS":
        _scoped(session, local=False)
        for name, value in options.items():
            session.settings.set("default_" + name, value)
        return
    if session.block is not Block.BLOCK:
        session.notice(
            "25P01", "SET TRANSACTION can only be used in transaction blocks", severity="WARNING"
        )
    apply_modes(session, options)


def constant_text(node: Node) -> str:
    """The text of a constant in SET, BEGIN and COPY options."""
    tag, body = next(iter(node.items()))
    match tag:
        case "A_Const":
            return _constant(body)
        case "String":
            return str(body.get("sval", ""))
        case "Integer":
            return str(body.get("ival", 0))
        case "Float":
            return str(body.get("fval", "0"))
        case "Boolean":
            return "true" if body.get("boolval") else "false"
        case "TypeCast":
            return constant_text(body["arg"])
        case _:
            raise SqlError("42601", "a constant was expected")


def _constant(body: Node) -> str:
    if "ival" in body:
        return str(body["ival"].get("ival", 0))
    if "fval" in body:
        return str(body["fval"].get("fval", "0"))
    if "boolval" in body:
        return "true" if body["boolval"].get("boolval") else "false"
    if "sval" in body:
        return str(body["sval"].get("sval", ""))
    raise SqlError("22023", "a parameter cannot be NULL")


def argument_text(name: str, arguments: Any) -> str:
    lowered = name.lower()
    parts: list[str] = []
    for argument in arguments:
        text = constant_text(argument)
        if lowered == "timezone" and "TypeCast" in argument:
            text = _interval_hours(text)
        parts.append(
            quote_identifier(text) if lowered in _NAME_LISTS and lowered != "datestyle" else text
        )
    if len(parts) > 1 and lowered not in _NAME_LISTS and "." not in lowered:
        raise SqlError("22023", f"SET {name} takes only one argument")
    return ", ".join(parts)


def _interval_hours(text: str) -> str:
    """SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE: hours, as a decimal number."""
    sign = -1 if text.lstrip().startswith("-") else 1
    hours, _, minutes = text.strip().lstrip("+-").partition(":")
    try:
        return str(sign * (int(hours) + int(minutes or 0) / 60))
    except ValueError:
        raise SqlError("22007", f'invalid input syntax for type interval: "{text}"') from None


def show_columns(session: Session, name: str) -> list[ResultColumn]:
    if name == "all":
        return [ResultColumn("name"), ResultColumn("setting"), ResultColumn("description")]
    if name == LAST_COMMIT_TIMINGS:
        return [ResultColumn(name)]
    session.settings.get(name)
    return [ResultColumn(session.settings.display_name(name))]


async def show(session: Session, statement: Statement) -> Outcome:
    name = statement.body["name"]
    columns = show_columns(session, name)
    if name == "all":
        return Outcome("SHOW", columns, list(session.settings.all()))
    if name == LAST_COMMIT_TIMINGS:
        return Outcome("SHOW", columns, [(session.last_commit_timings,)])
    return Outcome("SHOW", columns, [(session.settings.show(name),)])
