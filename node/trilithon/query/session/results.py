"""What running a statement gives, and the small texts around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trilithon.query.parse.statement import Statement, derive, walk
from trilithon.query.session.ports import ResultColumnLike, Row
from trilithon.types.registry import TEXT, TypeRef


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of what the session itself answers (SHOW and its kin)."""

    name: str
    type: TypeRef = TEXT
    table_oid: int = 0
    attnum: int = 0


@dataclass(slots=True)
class Outcome:
    """`columns` None: no rows, only `tag`. Rows that come as an iterator are counted by whoever pulls
    them, and the tag is completed by `complete_tag`."""

    tag: str
    columns: Sequence[ResultColumnLike] | None = None
    rows: list[Row] | AsyncIterator[list[Row]] = field(default_factory=list)
    # Of a binary cursor's rows; others: text, or what Bind asked for.
    formats: Sequence[int] = ()
    # A CopyIn or CopyOut to be carried out by the transport.
    copy: Any = None


_COUNTED = frozenset({"SELECT", "FETCH"})


def complete_tag(tag: str, count: int) -> str:
    """The tag of a command that returned `count` rows: "SELECT" and "SELECT 9" → "SELECT 5". Others
    ("INSERT 0 1", "EXPLAIN") count what they changed, or nothing, and stay."""
    verb, _, _ = tag.partition(" ")
    return f"{verb} {count}" if verb in _COUNTED else tag


_COMMANDS = {
    "SelectStmt": "SELECT",
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
    "CreateStmt": "CREATE TABLE",
    "CreateTableAsStmt": "CREATE TABLE AS",
    "IndexStmt": "CREATE INDEX",
    "AlterTableStmt": "ALTER TABLE",
    "TruncateStmt": "TRUNCATE TABLE",
    "CreateSchemaStmt": "CREATE SCHEMA",
    "CreateSeqStmt": "CREATE SEQUENCE",
    "ViewStmt": "CREATE VIEW",
    "CommentStmt": "COMMENT",
    "GrantStmt": "GRANT",
    "DoStmt": "DO",
    "CallStmt": "CALL",
    "LoadStmt": "LOAD",
    "LockStmt": "LOCK TABLE",
    "ListenStmt": "LISTEN",
    "NotifyStmt": "NOTIFY",
    "UnlistenStmt": "UNLISTEN",
    "CopyStmt": "COPY FROM",
}


def command_name(statement: Statement) -> str:
    """For messages: "cannot execute UPDATE in a read-only transaction"."""
    tag, body = statement.tag, statement.body
    if tag == "CreateTableAsStmt" and body.get("is_select_into"):
        return "SELECT INTO"
    if tag == "ExplainStmt":
        return command_name(derive(statement, body["query"]))
    if tag == "SelectStmt":
        if body.get("lockingClause"):
            return "SELECT FOR UPDATE"
        for inner in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
            if any(key == inner for key, _ in walk(body.get("withClause", {}))):
                return _COMMANDS[inner]
    if tag == "DropStmt":
        what = str(body.get("removeType", "OBJECT_TABLE")).removeprefix("OBJECT_")
        return "DROP " + what.replace("_", " ")
    known = _COMMANDS.get(tag)
    if known is not None:
        return known
    # "CreateDomainStmt" → "CREATE DOMAIN"
    words: list[str] = []
    for letter in tag.removesuffix("Stmt"):
        if letter.isupper() or not words:
            words.append(letter)
        else:
            words[-1] += letter
    return " ".join(words).upper()
