"""ALTER SEQUENCE, and ALTER ... SET SCHEMA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.analyse import names
from trilithon.query.catalog import ddl
from trilithon.query.catalog.definitions import Identity, Sequence, Table, View
from trilithon.query.execute.bound_defaults import called_sequence
from trilithon.query.execute.definitions import Definer, Handler, option_number
from trilithon.query.parse.statement import Node
from trilithon.types.registry import INT2, INT4, INT8, TypeRef

_LARGEST: Final = {INT2.oid: (1 << 15) - 1, INT4.oid: (1 << 31) - 1, INT8.oid: (1 << 63) - 1}


def _relation(definer: Definer, variable: Node, missing_ok: bool) -> Any:
    """None where it does not exist and that is fine. Raises 42P01."""
    path = [variable["schemaname"]] if "schemaname" in variable else []
    found = definer.find([*path, variable["relname"]])
    if found is None and not missing_ok:
        raise SqlError("42P01", f'relation "{names.relation_name(variable)}" does not exist')
    if found is None:
        definer.notice(f'relation "{variable["relname"]}" does not exist, skipping')
    return found


# ---- ALTER SEQUENCE


async def _alter_sequence(definer: Definer) -> str:
    body = definer.body
    found = _relation(definer, body["sequence"], bool(body.get("missing_ok")))
    if found is None:
        return "ALTER SEQUENCE"
    if not isinstance(found, Sequence):
        raise SqlError("42809", f'"{body["sequence"]["relname"]}" is not a sequence')
    options: dict[str, Node] = {}
    for item in body.get("options", ()):
        option = item["DefElem"]
        if option["defname"] in options:
            raise SqlError("42601", "conflicting or redundant options")
        options[option["defname"]] = option
    changed = _changed(definer, found, options)
    if "owned_by" in options:
        changed = _owned(definer, changed, options["owned_by"]["arg"]["List"]["items"])
    ddl.alter_sequence(definer.transaction, changed)
    if "restart" in options:
        value = option_number(options["restart"]) if "arg" in options["restart"] else changed.start
        for beyond, words in (
            (value < changed.minimum, f"less than MINVALUE ({changed.minimum})"),
            (value > changed.maximum, f"greater than MAXVALUE ({changed.maximum})"),
        ):
            if beyond:
                raise SqlError("22023", f"RESTART value ({value}) cannot be {words}")
        ddl.restart_sequence(definer.transaction, changed, value)
    return "ALTER SEQUENCE"


def _changed(definer: Definer, sequence: Sequence, options: dict[str, Node]) -> Sequence:
    type_, increment = sequence.type, sequence.increment
    if "as" in options:
        node = options["as"]["arg"]["TypeName"]
        type_ = TypeRef(names.resolve_type(definer.analysis, node).oid)
        if type_.oid not in _LARGEST:
            raise SqlError("22023", "sequence type must be smallint, integer, or bigint")
    if "increment" in options:
        increment = option_number(options["increment"])
    ascending = increment > 0
    largest, before = _LARGEST[type_.oid], _LARGEST[sequence.type.oid]
    minimum, maximum = sequence.minimum, sequence.maximum
    # Limits that were the old type's become the new one's.
    if maximum == before or ("maxvalue" in options and "arg" not in options["maxvalue"]):
        maximum = largest if ascending else -1
    if minimum == -before - 1 or ("minvalue" in options and "arg" not in options["minvalue"]):
        minimum = 1 if ascending else -largest - 1
    if "arg" in options.get("maxvalue", {}):
        maximum = option_number(options["maxvalue"])
    if "arg" in options.get("minvalue", {}):
        minimum = option_number(options["minvalue"])
    cycle = sequence.cycle
    if "cycle" in options:
        cycle = options["cycle"].get("arg", {}).get("Boolean", {}).get("boolval", False)
    return replace(
        sequence,
        type=type_,
        increment=increment,
        minimum=minimum,
        maximum=maximum,
        start=option_number(options["start"]) if "start" in options else sequence.start,
        cache=option_number(options["cache"]) if "cache" in options else sequence.cache,
        cycle=cycle,
    )


def _owned(definer: Definer, sequence: Sequence, items: list[Node]) -> Sequence:
    """OWNED BY table.column, or NONE."""
    path = names.strings(items)
    table = definer.catalog.table_by_id(sequence.owned_by_table)
    if table is not None:
        column = table.columns[sequence.owned_by_column - 1]
        if column.identity is not Identity.NONE:
            raise SqlError(
                "0A000",
                "cannot change ownership of identity sequence",
                detail=f'Sequence "{sequence.name}" is linked to table "{table.name}".',
            )
    if path == ["none"]:
        return replace(sequence, owned_by_table=0, owned_by_column=0)
    if len(path) < 2:
        raise SqlError(
            "42601",
            "invalid OWNED BY option",
            hint="Specify OWNED BY table.column or OWNED BY NONE.",
        )
    found = definer.find(path[:-1])
    if found is None:
        raise SqlError("42P01", f'relation "{".".join(path[:-1])}" does not exist')
    if not isinstance(found, Table):
        raise SqlError("42809", f'sequence cannot be owned by relation "{path[-2]}"')
    if found.schema_id != sequence.schema_id:
        raise SqlError("55000", "sequence must be in same schema as table it is linked to")
    owner = found.column(path[-1])
    if owner is None:
        raise SqlError("42703", f'column "{path[-1]}" of relation "{found.name}" does not exist')
    return replace(sequence, owned_by_table=found.id, owned_by_column=owner.number)


# ---- SET SCHEMA


async def _set_schema(definer: Definer) -> str:
    body = definer.body
    kind = body["objectType"].removeprefix("OBJECT_")
    if kind not in ("TABLE", "VIEW", "SEQUENCE"):
        raise SqlError("0A000", f"ALTER {kind} ... SET SCHEMA is not supported")
    tag = f"ALTER {kind}"
    found = _relation(definer, body["relation"], bool(body.get("missing_ok")))
    if found is None:
        return tag
    wanted = {"VIEW": (View, "a view"), "SEQUENCE": (Sequence, "a sequence")}.get(kind)
    name = body["relation"]["relname"]
    if wanted is not None and not isinstance(found, wanted[0]):
        raise SqlError("42809", f'"{name}" is not {wanted[1]}')
    if isinstance(found, tuple):
        raise SqlError("42809", f'cannot change schema of index "{name}"')
    schema = body["newschema"]
    if isinstance(found, Sequence) and found.owned_by_table:
        table = definer.catalog.table_by_id(found.owned_by_table)
        raise SqlError(
            "0A000",
            "cannot move an owned sequence into another schema",
            detail=f'Sequence "{found.name}" is linked to table "{table.name if table else "?"}".',
        )
    ddl.set_schema(definer.transaction, found, schema)
    if isinstance(found, Table):
        _move_sequences(definer, found, schema)
    return tag


def _move_sequences(definer: Definer, table: Table, schema: str) -> None:
    """The sequences that a table owns go with it; defaults call them by their new names."""
    for sequence in definer.catalog.sequences:
        if sequence.owned_by_table == table.id:
            ddl.set_schema(definer.transaction, sequence, schema)
    for column in table.visible_columns:
        if not column.sequence_id or column.identity is not Identity.NONE:
            continue
        sequence = definer.catalog.object_by_id(column.sequence_id)
        current = definer.catalog.table_by_id(table.id)
        if sequence is None or current is None:
            continue
        ddl.set_default(
            definer.transaction,
            current,
            column.name,
            called_sequence(sequence.id),
            sequence_id=sequence.id,
        )


HANDLERS: Final[dict[str, Handler]] = {
    "AlterSeqStmt": _alter_sequence,
    "AlterObjectSchemaStmt": _set_schema,
}
