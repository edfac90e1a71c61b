"""Statements that define things: from parse nodes to the catalog's functions.

One handler per statement; what has none is refused with its name. Tables and indexes have modules of
their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext
from trilithon.expression.functions import is_function
from trilithon.query.analyse import names, view_sources
from trilithon.query.analyse.context import Analysis
from trilithon.query.analyse.free import columns_read
from trilithon.query.analyse.queries import analyse_query
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import (
    Function,
    Index,
    Sequence,
    SequenceDefinition,
    Table,
    View,
    ViewColumn,
    ViewDefinition,
)
from trilithon.query.catalog_views import updatable
from trilithon.query.parse import Statement
from trilithon.query.parse.deparse import statement_text
from trilithon.query.parse.statement import Node
from trilithon.types.registry import INT8, UUID, TypeRef, type_info, type_name

if TYPE_CHECKING:
    from trilithon.query.engine import Engine
    from trilithon.query.plans import ResultColumn


@dataclass(slots=True)
class Definer:
    """One definition statement while it runs."""

    engine: Engine
    transaction: Any
    session: Any
    analysis: Analysis
    statement: Statement
    settings: Any

    @property
    def body(self) -> Node:
        return self.statement.body

    @property
    def catalog(self) -> Any:
        return self.transaction.catalog

    def notice(self, message: str, sqlstate: str = "00000", *, severity: str = "NOTICE") -> None:
        tell = getattr(self.session, "notice", None)
        if tell is not None:
            tell(sqlstate, message, severity=severity)

    def notices(self, dropped: list[str]) -> None:
        """What CASCADE took along."""
        if len(dropped) == 1:
            self.notice(f"drop cascades to {dropped[0]}")
        elif dropped:
            self.notice(f"drop cascades to {len(dropped)} other objects")

    @property
    def alone(self) -> bool:
        """Whether the statement is a transaction of its own, so that COMMIT may wait for an index."""
        block = getattr(self.session, "block", None)
        return block is not None and getattr(block, "name", "") in ("IDLE", "IMPLICIT")

    @property
    def together(self) -> bool:
        """Whether ALTER TABLE makes several changes, which stand or fall together."""
        commands = [item["AlterTableCmd"]["subtype"] for item in self.body.get("cmds", ())]
        return len(commands) > 1 or "AT_AddColumn" in commands

    def creation_schema(self, given: str | None) -> str:
        """Where a new object goes: the first schema of the search path that exists."""
        if given:
            if self.catalog.schema(given) is None:
                raise SqlError("3F000", f'schema "{given}" does not exist')
            return given
        for name in self.settings.search_path:
            if name not in ("pg_catalog", "information_schema") and self.catalog.schema(name):
                chosen: str = name
                return chosen
        raise SqlError("3F000", "no schema has been selected to create in")

    def eval_context(self) -> EvalContext:
        context = getattr(self.session, "context", None)
        if callable(context):
            made: EvalContext = context(())
            return made
        return EvalContext(settings=self.settings.io)

    def find(self, path: list[str]) -> Any:
        """A stored table, view, sequence or (table, index) by its name's parts; None."""
        *qualifier, name = path
        places = qualifier[-1:] or list(self.settings.search_path)
        for place in places:
            found = self.catalog.relation((place,), name)
            if found is not None:
                return found
        return None


Handler = Callable[[Definer], Awaitable[str]]


@dataclass(slots=True, eq=False)
class DefinitionPlan:
    """What the session holds of a definition statement: nothing is decided before it runs."""

    handler: Handler
    statement: Statement
    settings: Any
    columns: tuple[ResultColumn, ...] | None = None
    parameter_types: tuple[TypeRef, ...] = ()
    read_only: bool = False
    rows: list[Any] = field(default_factory=list)

    async def run(self, engine: Engine, transaction: Any, context: Any) -> Any:
        from trilithon.query.plans import Result

        transaction.begin_statement()
        analysis = engine.analysis_for(self.statement, transaction.catalog, self.settings)
        definer = Definer(
            engine, transaction, context.session, analysis, self.statement, self.settings
        )
        outcome = await self.handler(definer)
        if isinstance(outcome, tuple):
            tag, rows = outcome
            return Result(self.columns, rows, tag)
        return Result(self.columns, [], outcome)


def plan_definition(engine: Engine, statement: Statement, settings: Any) -> DefinitionPlan:
    from trilithon.query.execute import (
        alter_objects,
        alter_tables,
        define_composites,
        define_functions,
        define_indexes,
        define_tables,
        define_types,
    )
    from trilithon.query.plans import ResultColumn

    handler = (
        HANDLERS.get(statement.tag)
        or define_tables.HANDLERS.get(statement.tag)
        or define_indexes.HANDLERS.get(statement.tag)
        or alter_tables.HANDLERS.get(statement.tag)
        or define_types.HANDLERS.get(statement.tag)
        or define_composites.HANDLERS.get(statement.tag)
        or alter_objects.HANDLERS.get(statement.tag)
    )
    if statement.tag == "CreateFunctionStmt":
        handler = define_functions.create_function
    if handler is None:
        raise SqlError("0A000", f"{_words(statement.tag)} is not supported")
    plan = DefinitionPlan(handler, statement, settings)
    plan.read_only = statement.tag == "ConstraintsSetStmt"
    if statement.tag == "IndexStmt" and statement.body.get("asynchronous"):
        plan.columns = (ResultColumn("job_id", UUID),)
    return plan


_NAMES: Final = {
    "CreateTrigStmt": "CREATE TRIGGER",
    "CreateExtensionStmt": "CREATE EXTENSION",
    "DefineStmt": "CREATE AGGREGATE, OPERATOR or TYPE",
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "CreateStatsStmt": "CREATE STATISTICS",
    "GrantStmt": "GRANT and REVOKE",
    "GrantRoleStmt": "GRANT and REVOKE",
    "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW",
    "ReindexStmt": "REINDEX",
    "ClusterStmt": "CLUSTER",
}


def _words(tag: str) -> str:
    if tag in _NAMES:
        return _NAMES[tag]
    text = "".join(" " + letter if letter.isupper() else letter for letter in tag)
    return text.removesuffix(" Stmt").strip().upper()


# ---- DROP


async def _drop(definer: Definer) -> str:
    body = definer.body
    kind = body["removeType"].removeprefix("OBJECT_")
    cascade = body.get("behavior") == "DROP_CASCADE"
    if kind == "FUNCTION":
        from trilithon.query.execute import define_functions

        return define_functions.drop_functions(definer)
    if kind in ("TYPE", "DOMAIN"):
        from trilithon.query.execute import define_types

        named = [_path(item) for item in body["objects"]]
        await define_types.drop_types(definer, named, bool(body.get("missing_ok")), cascade, kind)
        return f"DROP {kind}"
    handler = _DROPS.get(kind)
    if handler is None:
        raise SqlError("0A000", f"DROP {kind.replace('_', ' ')} is not supported")
    paths = [_path(item) for item in body["objects"]]
    handler(definer, paths, bool(body.get("missing_ok")), cascade)
    return f"DROP {kind.replace('_', ' ')}"


def _path(item: Node) -> list[str]:
    if "List" in item:
        return names.strings(item["List"]["items"])
    if "TypeName" in item:
        return names.strings(item["TypeName"]["names"])
    return names.strings([item])


def _wanted(
    definer: Definer, paths: list[list[str]], missing_ok: bool, kind: type, words: str
) -> list[Any]:
    found: list[Any] = []
    for path in paths:
        known = definer.find(path)
        shown = ".".join(path)
        if known is None:
            if len(path) > 1 and definer.catalog.schema(path[-2]) is None and not missing_ok:
                raise SqlError("3F000", f'schema "{path[-2]}" does not exist')
            if not missing_ok:
                raise SqlError(
                    "42704" if words == "index" else "42P01", f'{words} "{shown}" does not exist'
                )
            definer.notice(f'{words} "{shown}" does not exist, skipping')
            continue
        if not isinstance(known, kind):
            raise SqlError(
                "42809", f'"{path[-1]}" is not a{"n" if words[0] in "aeiou" else ""} {words}'
            )
        if not any(known is other for other in found):
            found.append(known)
    return found


def _drop_tables(definer: Definer, paths: list[list[str]], missing_ok: bool, cascade: bool) -> None:
    tables = _wanted(definer, paths, missing_ok, Table, "table")
    definer.notices(ddl.drop_tables(definer.transaction, tables, cascade=cascade))


def _drop_indexes(
    definer: Definer, paths: list[list[str]], missing_ok: bool, cascade: bool
) -> None:
    found: list[tuple[Table, Index]] = _wanted(definer, paths, missing_ok, tuple, "index")
    for table, index in found:
        current = definer.catalog.table_by_id(table.id) or table
        ddl.drop_index(definer.transaction, current, index)


def _drop_views(definer: Definer, paths: list[list[str]], missing_ok: bool, cascade: bool) -> None:
    views = _wanted(definer, paths, missing_ok, View, "view")
    definer.notices(ddl.drop_views(definer.transaction, views, cascade=cascade))


def _drop_sequences(
    definer: Definer, paths: list[list[str]], missing_ok: bool, cascade: bool
) -> None:
    for sequence in _wanted(definer, paths, missing_ok, Sequence, "sequence"):
        current = definer.catalog.object_by_id(sequence.id)
        definer.notices(ddl.drop_sequence(definer.transaction, current, cascade=cascade))


def _drop_schemas(
    definer: Definer, paths: list[list[str]], missing_ok: bool, cascade: bool
) -> None:
    for path in paths:
        schema = definer.catalog.schema(path[-1])
        if schema is None:
            if not missing_ok:
                raise SqlError("3F000", f'schema "{path[-1]}" does not exist')
            definer.notice(f'schema "{path[-1]}" does not exist, skipping')
            continue
        definer.notices(ddl.drop_schema(definer.transaction, schema, cascade=cascade))


_DROPS: Final[dict[str, Callable[[Definer, list[list[str]], bool, bool], None]]] = {
    "TABLE": _drop_tables,
    "INDEX": _drop_indexes,
    "VIEW": _drop_views,
    "SEQUENCE": _drop_sequences,
    "SCHEMA": _drop_schemas,
}


# ---- schemas, views, sequences


async def _create_schema(definer: Definer) -> str:
    body = definer.body
    name = body.get("schemaname")
    if name is None:
        raise SqlError("0A000", "CREATE SCHEMA AUTHORIZATION without a name is not supported")
    if body.get("schemaElts"):
        raise SqlError("0A000", "CREATE SCHEMA with elements is not supported")
    made = await ddl.create_schema(
        definer.transaction, name, if_not_exists=bool(body.get("if_not_exists"))
    )
    if made is None:
        definer.notice(f'schema "{name}" already exists, skipping', "42P06")
    return "CREATE SCHEMA"


_CHECK_OPTIONS: Final = {
    "NO_CHECK_OPTION": "",
    "LOCAL_CHECK_OPTION": "local",
    "CASCADED_CHECK_OPTION": "cascaded",
}


async def _create_view(definer: Definer) -> str:
    body = definer.body
    view = body["view"]
    if view.get("relpersistence", "p") != "p":
        raise SqlError("0A000", "temporary views are not supported")
    check_option = _CHECK_OPTIONS[body.get("withCheckOption", "NO_CHECK_OPTION")]
    analysis = definer.analysis
    relation = analyse_query(analysis, None, body["query"])
    if not analysis.read_only:
        raise SqlError("0A000", "views must not contain data-modifying statements in WITH")
    aliases = names.strings(body.get("aliases", []))
    if len(aliases) > len(relation.outputs):
        raise SqlError("42601", "CREATE VIEW specifies more column names than columns")
    columns: list[ViewColumn] = []
    for position, output in enumerate(relation.outputs):
        name = aliases[position] if position < len(aliases) else output.name
        if any(column.name == name for column in columns):
            raise SqlError("42701", f'column "{name}" specified more than once')
        if type_info(output.type.oid).category == "P":
            words = type_name(TypeRef(output.type.oid))
            raise SqlError("42P16", f'column "{name}" has pseudo-type {words}')
        columns.append(ViewColumn(name, output.type))
    qualify(definer, body["query"])
    tables = tuple(sorted(analysis.tables))
    used = tuple(sorted(columns_read(relation)))
    others = used_ids(analysis.lookups)
    definition = ViewDefinition(
        definer.creation_schema(view.get("schemaname")),
        view["relname"],
        tuple(columns),
        statement_text(body["query"]),
        tuple(dict.fromkeys((*tables, *others, *sorted(analysis.types)))),
        used,
        check_option,
        sources=view_sources.sources_of(analysis.lookups),
    )
    if check_option:
        reason = updatable.why_not(body["query"]["SelectStmt"], columns=True)
        if reason:
            raise SqlError(
                "0A000",
                "WITH CHECK OPTION is supported only on automatically updatable views",
                hint=reason,
            )
    await ddl.create_view(definer.transaction, definition, replace=bool(body.get("replace")))
    return "CREATE VIEW"


def used_ids(lookups: list[tuple[Any, Any]]) -> tuple[int, ...]:
    """Ids of the views, sequences and functions that a query rests on."""
    used: list[int] = []
    for _, found in lookups:
        if isinstance(found, View | Sequence):
            used.append(found.id)
        elif isinstance(found, tuple):
            used += [one.id for one in found if isinstance(one, Function)]
    return tuple(used)


def qualify(definer: Definer, node: Any) -> None:
    """Give the names of stored relations and of SQL functions their schemas, in place, so that no
    search path matters."""
    stack: list[tuple[Any, frozenset[str]]] = [(node, frozenset())]
    while stack:
        top, ctes = stack.pop()
        if isinstance(top, list):
            stack.extend((inner, ctes) for inner in top)
        elif isinstance(top, dict):
            clause = top.get("withClause")
            if clause is not None:
                ctes = ctes | {item["CommonTableExpr"]["ctename"] for item in clause["ctes"]}
            variable = top.get("RangeVar")
            if (
                variable is not None
                and "schemaname" not in variable
                and variable["relname"] not in ctes
            ):
                found = definer.find([variable["relname"]])
                if isinstance(found, Table | View):
                    variable["schemaname"] = found.schema
                    variable.setdefault("alias", {"aliasname": variable["relname"]})
            if "FuncCall" in top:
                _qualify_function(definer, top["FuncCall"])
            stack.extend((inner, ctes) for inner in top.values())


def _qualify_function(definer: Definer, call: Node) -> None:
    path = names.strings(call["funcname"])
    known = definer.catalog.functions_named(definer.settings.search_path, path[-1])
    if len(path) > 1 or not known or is_function(path[-1]):
        return
    if len({function.schema for function in known}) > 1:
        raise SqlError(
            "0A000",
            f"a stored query over functions {path[-1]} of several schemas is not supported",
            hint="Name the function's schema.",
        )
    call["funcname"] = [{"String": {"sval": known[0].schema}}, *call["funcname"]]


async def _create_sequence(definer: Definer) -> str:
    body = definer.body
    name = body["sequence"]["relname"]
    if body["sequence"].get("relpersistence", "p") != "p":
        raise SqlError("0A000", "temporary sequences are not supported")
    schema = definer.creation_schema(body["sequence"].get("schemaname"))
    definition = sequence_definition(definer, schema, name, INT8, body.get("options", []))
    made = await ddl.create_sequence(
        definer.transaction, definition, if_not_exists=bool(body.get("if_not_exists"))
    )
    if made is None:
        definer.notice(f'relation "{name}" already exists, skipping', "42P07")
    return "CREATE SEQUENCE"


def sequence_definition(
    definer: Definer, schema: str, name: str, type_: TypeRef, options: list[Node]
) -> SequenceDefinition:
    fields: dict[str, Any] = {}
    words = {"start": "start", "increment": "increment", "cache": "cache"}
    for item in options:
        option = item["DefElem"]
        key = option["defname"]
        if key in words:
            fields[words[key]] = option_number(option)
        elif key in ("minvalue", "maxvalue"):
            limit = "minimum" if key == "minvalue" else "maximum"
            fields[limit] = option_number(option) if "arg" in option else None
        elif key == "cycle":
            fields["cycle"] = option.get("arg", {}).get("Boolean", {}).get("boolval", False)
        elif key == "as":
            type_ = names.resolve_type(definer.analysis, option["arg"]["TypeName"])
        elif key == "owned_by":
            if _path(option["arg"]) != ["none"]:
                raise SqlError("0A000", "OWNED BY is not supported here")
        else:
            raise SqlError("0A000", f"sequence option {key} is not supported")
    if fields.get("increment") == 0:
        raise SqlError("22023", "INCREMENT must not be zero")
    return SequenceDefinition(schema, name, type_, **fields)


def option_number(option: Node) -> int:
    argument = option.get("arg", {})
    if "Integer" in argument:
        return int(argument["Integer"].get("ival", 0))
    if "Float" in argument:
        return int(argument["Float"]["fval"])
    raise SqlError("42601", f"{option['defname']} requires an integer value")


# ---- COMMENT, RENAME, SET SCHEMA, OWNER


async def _comment(definer: Definer) -> str:
    from trilithon.query.execute import comments

    body = definer.body
    kind = body["objtype"].removeprefix("OBJECT_")
    comment = body.get("comment", "")
    path = _path(body["object"])
    match kind:
        case "TABLE" | "VIEW" | "SEQUENCE":
            wanted = {"TABLE": Table, "VIEW": View, "SEQUENCE": Sequence}[kind]
            (found,) = _wanted(definer, [path], False, wanted, kind.lower())
            ddl.set_comment(definer.transaction, found, comment)
        case "COLUMN":
            (table,) = _wanted(definer, [path[:-1]], False, Table, "table")
            ddl.set_column_comment(definer.transaction, table, path[-1], comment)
        case _ if comments.set_comment(definer, kind, body, comment):
            pass
        case _:
            # A comment on anything else is nothing that anybody relies on; it is not kept.
            definer.notice(f"comments on {kind.lower().replace('_', ' ')}s are not kept")
    return "COMMENT"


_RENAMED: Final = {
    "OBJECT_TABLE": "ALTER TABLE",
    "OBJECT_VIEW": "ALTER VIEW",
    "OBJECT_SEQUENCE": "ALTER SEQUENCE",
    "OBJECT_INDEX": "ALTER INDEX",
    "OBJECT_COLUMN": "ALTER TABLE",
    "OBJECT_TABCONSTRAINT": "ALTER TABLE",
    "OBJECT_SCHEMA": "ALTER SCHEMA",
}


async def _rename(definer: Definer) -> str:
    body = definer.body
    kind = body["renameType"]
    if kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        from trilithon.query.execute import define_types

        return await define_types.rename_type(definer)
    if kind == "OBJECT_ATTRIBUTE":
        from trilithon.query.execute import define_composites

        return await define_composites.rename_attribute(definer)
    tag = _RENAMED.get(kind)
    if tag is None:
        raise SqlError("0A000", f"renaming this kind of object is not supported: {kind}")
    new_name = body["newname"]
    transaction = definer.transaction
    if kind == "OBJECT_SCHEMA":
        schema = definer.catalog.require_schema(body["subname"])
        ddl.rename_schema(transaction, schema, new_name)
        return tag
    variable = body["relation"]
    found = definer.find(
        [variable["schemaname"], variable["relname"]]
        if "schemaname" in variable
        else [variable["relname"]]
    )
    if found is None:
        if body.get("missing_ok"):
            definer.notice(f'relation "{variable["relname"]}" does not exist, skipping')
            return tag
        raise SqlError("42P01", f'relation "{names.relation_name(variable)}" does not exist')
    if isinstance(found, tuple):
        ddl.rename_index(transaction, found[0], found[1], new_name)
    elif kind == "OBJECT_COLUMN":
        _require_table(found)
        ddl.rename_column(
            transaction,
            found,
            body["subname"],
            new_name,
            rename_in_sql=lambda sql: _renamed_text(sql, body["subname"], new_name),
        )
    elif kind == "OBJECT_TABCONSTRAINT":
        _require_table(found)
        ddl.rename_constraint(transaction, found, body["subname"], new_name)
    else:
        ddl.rename_relation(transaction, found, new_name)
    return tag


def _require_table(found: Any) -> None:
    if not isinstance(found, Table):
        raise SqlError("42809", f'"{found.name}" is not a table')


def _renamed_text(sql: str, name: str, new_name: str) -> str:
    """An expression of a table's definition after a column was renamed."""
    from trilithon.query.analyse.table_expressions import expression_node
    from trilithon.query.parse.deparse import expression_text

    node = expression_node(sql)
    stack: list[Any] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(top)
        elif isinstance(top, dict):
            reference = top.get("ColumnRef")
            if reference is not None:
                last = reference["fields"][-1].get("String")
                if last is not None and last.get("sval") == name:
                    last["sval"] = new_name
            stack.extend(top.values())
    return expression_text(node)


HANDLERS: Final[dict[str, Handler]] = {
    "DropStmt": _drop,
    "CreateSchemaStmt": _create_schema,
    "ViewStmt": _create_view,
    "CreateSeqStmt": _create_sequence,
    "CommentStmt": _comment,
    "RenameStmt": _rename,
}
