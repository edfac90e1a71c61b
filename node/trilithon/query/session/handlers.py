"""What the session runs itself, by kind of statement; everything else is the engine's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Node, Statement, derive, walk
from trilithon.query.session import control, copying, cursors
from trilithon.query.session.block import Block
from trilithon.query.session.prepared import PREPARED_MAX, PreparedStatement
from trilithon.query.session.results import Outcome, command_name
from trilithon.types.registry import TypeRef, array_type, lookup_type, type_info

if TYPE_CHECKING:
    from trilithon.query.session.session import Session


async def describe(session: Session, statement: Statement, prepared: PreparedStatement) -> None:
    """The columns of a statement that the session runs itself."""
    match statement.kind:
        case "show":
            prepared.columns = control.show_columns(session, statement.body["name"])
        case "execute":
            prepared.columns = await _execute_columns(session, statement)
        case "cursor":
            prepared.columns = cursors.describe(session, statement)
        case _:
            prepared.columns = None


# ---- PREPARE, EXECUTE, DEALLOCATE


def _named(session: Session, name: str) -> PreparedStatement:
    found = session.statements.get(name)
    if found is None or not name:
        raise SqlError("26000", f'prepared statement "{name}" does not exist')
    return found


async def _prepare(session: Session, statement: Statement) -> Outcome:
    body = statement.body
    name = body["name"]
    if name in session.statements:
        raise SqlError("42P05", f'prepared statement "{name}" already exists')
    if len(session.statements) >= PREPARED_MAX:
        raise SqlError("53400", f"more than {PREPARED_MAX} prepared statements in one session")
    oids = [type_of_node(node).oid for node in body.get("argtypes", ())]
    inner = derive(statement, body["query"])
    prepared = await session.prepare(name, inner, oids)
    prepared.from_sql = True
    session.statements[name] = prepared
    return Outcome("PREPARE")


def type_of_node(node: Node) -> TypeRef:
    """A TypeName of PREPARE's argument list."""
    body = node["TypeName"]
    name = body["names"][-1]["String"]["sval"]
    ref = lookup_type(name)
    return array_type(ref) if body.get("arrayBounds") else ref


async def _execute_columns(session: Session, statement: Statement) -> Any:
    if statement.tag == "ExecuteStmt":
        return _named(session, statement.body["name"]).columns
    inner, prepared = _around(session, statement)
    described = await session.prepare("", inner, [ref.oid for ref in prepared.parameter_types])
    return described.columns


def _around(session: Session, statement: Statement) -> tuple[Statement, PreparedStatement]:
    """CREATE TABLE AS EXECUTE or EXPLAIN EXECUTE with the prepared statement in EXECUTE's place."""
    prepared = _named(session, statement.body["query"]["ExecuteStmt"]["name"])
    if prepared.statement is None:
        raise SqlError("42601", "an empty statement cannot be used here")
    node = parse_plain(prepared.statement.source)[0].node
    if not prepared.statement.constants:
        node = prepared.statement.node
    if statement.tag == "CreateTableAsStmt" and "SelectStmt" not in node:
        raise SqlError("42809", "prepared statement is not a SELECT")
    source = prepared.statement
    around = derive(statement, {statement.tag: {**statement.body, "query": node}})
    around.text, around.source, around.location = source.text, source.source, source.location
    return around, prepared


async def _execute_within(session: Session, statement: Statement) -> Outcome:
    around, prepared = _around(session, statement)
    body = statement.body["query"]["ExecuteStmt"]
    wanted = prepared.parameter_types
    given = body.get("params", ())
    _require_count(body["name"], given, wanted)
    values = await _argument_values(session, statement, given, wanted) if wanted else ()
    oids = [ref.oid for ref in wanted]
    return await session.run(around, PreparedStatement("", around, oids), values)


def _require_count(name: str, given: Any, wanted: Any) -> None:
    if len(given) != len(wanted):
        raise SqlError(
            "42601",
            f'wrong number of parameters for prepared statement "{name}"',
            detail=f"Expected {len(wanted)} parameters but got {len(given)}.",
        )


async def _execute(session: Session, statement: Statement) -> Outcome:
    if statement.tag != "ExecuteStmt":
        return await _execute_within(session, statement)
    body = statement.body
    prepared = _named(session, body["name"])
    given = body.get("params", ())
    wanted = prepared.parameter_types
    _require_count(body["name"], given, wanted)
    if prepared.statement is None:
        return Outcome("")
    if prepared.statement.kind == "execute":
        raise SqlError("0A000", "EXECUTE of a prepared EXECUTE is not supported")
    values = await _argument_values(session, statement, given, wanted) if wanted else ()
    return await session.run(prepared.statement, prepared, values)


async def _argument_values(
    session: Session, statement: Statement, given: Any, wanted: Any
) -> tuple[Any, ...]:
    """EXECUTE's arguments are expressions: they are run as a SELECT of casts."""
    if any(key == "SubLink" for argument in given for key, _ in walk(argument)):
        raise SqlError("0A000", "cannot use subquery in EXECUTE parameter")
    targets = [
        {"ResTarget": {"val": {"TypeCast": {"arg": argument, "typeName": _type_node(ref)}}}}
        for argument, ref in zip(given, wanted, strict=True)
    ]
    select = {"targetList": targets, "limitOption": "LIMIT_OPTION_DEFAULT", "op": "SETOP_NONE"}
    outcome = await session.run_derived(derive(statement, {"SelectStmt": select}))
    rows = await cursors.all_rows(outcome)
    return tuple(rows[0])


def _type_node(ref: TypeRef) -> Node:
    names = [{"String": {"sval": "pg_catalog"}}, {"String": {"sval": type_info(ref.oid).name}}]
    return {"names": names, "typemod": -1}


async def _deallocate(session: Session, statement: Statement) -> Outcome:
    body = statement.body
    if body.get("isall"):
        session.statements.clear()
        return Outcome("DEALLOCATE ALL")
    del session.statements[_named(session, body["name"]).name]
    return Outcome("DEALLOCATE")


# ---- the rest


async def _discard(session: Session, statement: Statement) -> Outcome:
    target = statement.body.get("target", "DISCARD_ALL").removeprefix("DISCARD_")
    if target == "ALL":
        control.check_outside_block(session, "DISCARD ALL")
        await cursors.close_all(session)
        session.statements.clear()
        session.settings.reset_all()
    return Outcome(f"DISCARD {target}")


async def _vacuum(session: Session, statement: Statement) -> Outcome:
    """Old versions are collected by storage itself, so VACUUM alone has nothing to do."""
    if statement.tag == "CheckPointStmt":
        return Outcome("CHECKPOINT")
    is_vacuum = bool(statement.body.get("is_vacuumcmd"))
    if is_vacuum and session.block is not Block.IDLE:
        raise SqlError("25001", "VACUUM cannot run inside a transaction block")
    if not is_vacuum or _asks_for_statistics(statement):
        await session.services.engine.gather_statistics(statement, session.settings)
    return Outcome("VACUUM" if is_vacuum else "ANALYZE")


def _asks_for_statistics(statement: Statement) -> bool:
    options = [option["DefElem"] for option in statement.body.get("options", ())]
    return any(
        option["defname"] == "analyze"
        and option.get("arg", {}).get("Boolean", {}).get("boolval", True)
        for option in options
    )


async def _unsupported(session: Session, statement: Statement) -> Outcome:
    # Connection pools send UNLISTEN * to reset a session; without LISTEN it has nothing to do.
    if statement.tag == "UnlistenStmt":
        return Outcome("UNLISTEN")
    raise SqlError("0A000", f"{command_name(statement)} is not supported")


HANDLERS: Final[Mapping[str, Callable[[Any, Statement], Awaitable[Outcome]]]] = {
    "transaction": control.transaction,
    "set": control.set_statement,
    "show": control.show,
    "prepare": _prepare,
    "execute": _execute,
    "deallocate": _deallocate,
    "cursor": cursors.cursor_statement,
    "copy": copying.copy_statement,
    "vacuum": _vacuum,
    "discard": _discard,
    "unsupported": _unsupported,
}
