"""CREATE FUNCTION ... LANGUAGE sql, DROP FUNCTION."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression import functions as built_in
from trilithon.query.analyse import coercion, names, sql_functions, table_expressions
from trilithon.query.analyse.tree import Relation
from trilithon.query.catalog import ddl_functions
from trilithon.query.catalog.definitions import (
    Function,
    FunctionArgument,
    ViewColumn,
)
from trilithon.query.execute.definitions import Definer, qualify
from trilithon.query.parse.deparse import expression_text, statement_text
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import Node
from trilithon.types.registry import (
    ANY,
    POLYMORPHIC,
    RECORD,
    VOID,
    TypeRef,
    type_info,
    type_name,
)

_LANGUAGES: Final = ("plpgsql", "c", "internal")
_VOLATILITIES: Final = {"immutable": "i", "stable": "s", "volatile": "v"}
# Advice that changes no result.
_IGNORED: Final = frozenset({"parallel", "cost", "rows", "leakproof", "window_", "security"})
# Polymorphic types that arguments and results may have.
_GENERIC: Final = POLYMORPHIC - {ANY.oid}
_MODES: Final = {"FUNC_PARAM_IN", "FUNC_PARAM_DEFAULT", "FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"}


@dataclass(slots=True)
class _Draft:
    arguments: list[FunctionArgument] = field(default_factory=list)
    columns: list[ViewColumn] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


async def create_function(definer: Definer) -> str:
    body = definer.body
    if body.get("is_procedure"):
        raise SqlError("0A000", "CREATE PROCEDURE is not supported")
    path = names.strings(body["funcname"])
    draft = _Draft()
    _read_options(draft, body)
    for item in body.get("parameters", ()):
        _add_parameter(definer, draft, item["FunctionParameter"])
    result, returns_set = _result(definer, draft, body)
    sql, atomic = _source(draft, body)
    definition = Function(
        0,
        0,
        definer.creation_schema(path[-2] if len(path) > 1 else None),
        path[-1],
        tuple(draft.arguments),
        result,
        sql,
        returns_set,
        tuple(draft.columns),
        draft.options.get("volatility", "v"),
        bool(draft.options.get("strict", False)),
        atomic,
    )
    definition = _checked(definer, definition)
    await ddl_functions.create_function(
        definer.transaction, definition, replace_it=bool(body.get("replace"))
    )
    return "CREATE FUNCTION"


def _read_options(draft: _Draft, body: Node) -> None:
    options = draft.options
    for item in body.get("options", ()):
        element = item["DefElem"]
        name, argument = element["defname"], element.get("arg", {})
        if name in options:
            raise SqlError("42601", "conflicting or redundant options")
        if name == "language":
            options[name] = argument["String"]["sval"].lower()
        elif name == "volatility":
            options[name] = _VOLATILITIES[argument["String"]["sval"]]
        elif name == "strict":
            options[name] = argument["Boolean"].get("boolval", False)
        elif name == "as":
            options[name] = names.strings(argument["List"]["items"])
        elif name == "security" and argument.get("Boolean", {}).get("boolval"):
            raise SqlError("0A000", "SECURITY DEFINER is not supported")
        elif name not in _IGNORED:
            raise SqlError("0A000", f"{name.upper()} in CREATE FUNCTION is not supported")
    language = options.get("language", "sql" if "sql_body" in body else None)
    if language is None:
        raise SqlError("42P13", "no language specified")
    if language in _LANGUAGES:
        raise SqlError("0A000", f'language "{language}" is not supported')
    if language != "sql":
        raise SqlError("42704", f'language "{language}" does not exist')


def _add_parameter(definer: Definer, draft: _Draft, node: Node) -> None:
    mode = node.get("mode", "FUNC_PARAM_DEFAULT")
    if mode not in _MODES:
        words = mode.removeprefix("FUNC_PARAM_")
        raise SqlError("0A000", f"{words} parameters are not supported")
    name = node.get("name", "")
    type_ = _type(definer, node["argType"])
    taken = [argument.name for argument in draft.arguments if mode != "FUNC_PARAM_TABLE" or name]
    taken += [column.name for column in draft.columns]
    if name and name in taken:
        raise SqlError("42P13", f'parameter name "{name}" used more than once')
    if mode in ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"):
        draft.columns.append(ViewColumn(name or f"column{len(draft.columns) + 1}", type_))
        return
    default = None
    if "defexpr" in node:
        analysis = definer.analysis
        value = table_expressions.analyse_node(analysis, node["defexpr"], None, ())
        coercion.coerce(analysis, value, type_, coercion.ASSIGNMENT, None)
        default = expression_text(node["defexpr"])
    elif draft.arguments and draft.arguments[-1].default is not None:
        raise SqlError(
            "42P13", "input parameters after one with a default value must also have defaults"
        )
    draft.arguments.append(FunctionArgument(name, type_, default))


def _type(definer: Definer, node: Node) -> TypeRef:
    found = names.resolve_type(definer.analysis, {**node, "setof": False})
    known = (VOID, RECORD)
    if type_info(found.oid).category == "P" and found not in known and found.oid not in _GENERIC:
        raise SqlError("0A000", f"SQL functions with type {type_name(found)} are not supported")
    # A modifier of an argument or a result is ignored.
    return TypeRef(found.oid)


def _result(definer: Definer, draft: _Draft, body: Node) -> tuple[TypeRef, bool]:
    node = body.get("returnType")
    columns = draft.columns
    if node is None:
        if not columns:
            raise SqlError("42P13", "function result type must be specified")
        result = columns[0].type if len(columns) == 1 else RECORD
        returns_set = False
    else:
        result, returns_set = _type(definer, node), bool(node.get("setof"))
        table = any(
            item["FunctionParameter"].get("mode") == "FUNC_PARAM_TABLE"
            for item in body.get("parameters", ())
        )
        wanted = columns[0].type if len(columns) == 1 else RECORD
        if table:
            result = wanted
        elif columns and result != wanted:
            raise SqlError(
                "42P13",
                f"function result type must be {type_name(wanted)} because of OUT parameters",
            )
    generic = _GENERIC & {argument.type.oid for argument in draft.arguments}
    if result.oid in _GENERIC and not generic:
        raise SqlError(
            "42P13",
            "cannot determine result data type",
            detail=f"A result of type {type_name(result)} requires at least one input of a "
            "polymorphic type.",
        )
    if any(column.type.oid in _GENERIC for column in columns):
        raise SqlError("0A000", "OUT parameters of polymorphic types are not supported")
    return result, returns_set


def _source(draft: _Draft, body: Node) -> tuple[str, bool]:
    """The body's one SELECT as text, and whether it is a standard body."""
    text = draft.options.get("as")
    if "sql_body" not in body:
        if text is None:
            raise SqlError("42P13", "no function body specified")
        if len(text) > 1:
            raise SqlError("42P13", 'only one AS item needed for language "sql"')
        return text[0], False
    if text is not None:
        raise SqlError("42P13", "duplicate function body specified")
    node = body["sql_body"]
    if "ReturnStmt" in node:
        target = {"ResTarget": {"val": node["ReturnStmt"]["returnval"]}}
        node = {
            "SelectStmt": {
                "targetList": [target],
                "limitOption": "LIMIT_OPTION_DEFAULT",
                "op": "SETOP_NONE",
            }
        }
    else:
        statements = [
            one for item in node["List"]["items"] for one in item.get("List", {}).get("items", ())
        ]
        if len(statements) != 1:
            raise SqlError("0A000", "SQL functions of several statements are not supported")
        node = statements[0]
    return statement_text(node), True


def _checked(definer: Definer, function: Function) -> Function:
    """The function with its body looked at: it is one SELECT that gives what is promised."""
    statements = parse_plain(function.sql)
    if not statements:
        _mismatch(
            function, "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING."
        )
    if len(statements) > 1:
        raise SqlError("0A000", "SQL functions of several statements are not supported")
    if statements[0].tag != "SelectStmt":
        raise SqlError(
            "0A000",
            f"{statements[0].tag.removesuffix('Stmt').upper()} in SQL functions is not supported",
        )
    analysis = definer.analysis
    if _GENERIC & set(function.types):
        # What its body means is known when it is called.
        if not _only_sequences(statements[0].node):
            raise SqlError("0A000", "SQL functions that change data are not supported")
        if function.atomic:
            raise SqlError("0A000", "polymorphic functions with standard bodies are not supported")
        return function
    body, _ = sql_functions.body_of(analysis, function)
    if not analysis.read_only and not _only_sequences(statements[0].node):
        raise SqlError("0A000", "SQL functions that change data are not supported")
    _check_columns(function, body)
    if not function.atomic:
        return function
    node = statements[0].node
    qualify(definer, node)
    return replace(function, sql=statement_text(node))


def _only_sequences(node: Node) -> bool:
    """What makes the body no reader is nextval() and its kin."""
    stack: list[Any] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            if top.keys() & {
                "InsertStmt",
                "UpdateStmt",
                "DeleteStmt",
                "MergeStmt",
                "lockingClause",
            }:
                return False
            stack.extend(top.values())
        elif isinstance(top, list):
            stack.extend(top)
    return True


def _check_columns(function: Function, body: Relation) -> None:
    wanted = [column.type for column in function.columns] or [function.result]
    if function.result == VOID or (function.result == RECORD and not function.columns):
        return
    if len(body.outputs) != len(wanted):
        detail = "Final statement must return exactly one column."
        if len(function.columns) > 1:
            few = "few" if len(body.outputs) < len(wanted) else "many"
            detail = f"Final statement returns too {few} columns."
        _mismatch(function, detail)
    for number, (output, type_) in enumerate(zip(body.outputs, wanted, strict=True), 1):
        if built_in.can_coerce(output.type, type_, built_in.ASSIGNMENT):
            continue
        actual = type_name(TypeRef(output.type.oid))
        if len(function.columns) > 1:
            _mismatch(
                function,
                f"Final statement returns {actual} instead of {type_name(type_)} at column {number}.",
            )
        _mismatch(function, f"Actual return type is {actual}.")


def _mismatch(function: Function, detail: str) -> None:
    result = RECORD if len(function.columns) > 1 else function.result
    raise SqlError(
        "42P13",
        f"return type mismatch in function declared to return {type_name(result)}",
        detail=detail,
    )


# ---- DROP FUNCTION


def drop_functions(definer: Definer) -> str:
    body = definer.body
    cascade = body.get("behavior") == "DROP_CASCADE"
    for item in body["objects"]:
        function = find_function(definer, item["ObjectWithArgs"], bool(body.get("missing_ok")))
        if function is not None:
            definer.notices(
                ddl_functions.drop_function(definer.transaction, function, cascade=cascade)
            )
    return "DROP FUNCTION"


def find_function(definer: Definer, node: Node, missing_ok: bool) -> Function | None:
    """Raises 42883, 42725."""
    path = names.strings(node["objname"])
    places = path[-2:-1] or list(definer.settings.search_path)
    known = definer.catalog.functions_named(places, path[-1])
    shown = ".".join(path)
    if node.get("args_unspecified"):
        if len(known) > 1:
            raise SqlError(
                "42725",
                f'function name "{shown}" is not unique',
                hint="Specify the argument list to select the function unambiguously.",
            )
        message = f'could not find a function named "{shown}"'
    else:
        types = [
            _type(definer, item["FunctionParameter"]["argType"])
            for item in node.get("objfuncargs", ())
            if item["FunctionParameter"].get("mode") not in ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE")
        ]
        wanted = tuple(type_.oid for type_ in types)
        known = tuple(one for one in known if one.types == wanted)
        message = f"function {shown}({', '.join(map(type_name, types))}) does not exist"
    if known:
        found: Function = known[0]
        return found
    if not missing_ok:
        raise SqlError("42883", message)
    definer.notice(f"{message.replace('could not find a function named', 'function')}, skipping")
    return None
