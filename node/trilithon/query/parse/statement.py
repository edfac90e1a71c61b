"""One statement: its parse node, its text, its kind, and the literals that were lifted out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Node = dict[str, Any]

KINDS: Final[dict[str, str]] = {
    "SelectStmt": "query",
    "InsertStmt": "query",
    "UpdateStmt": "query",
    "DeleteStmt": "query",
    "MergeStmt": "query",
    "ExplainStmt": "query",
    "TransactionStmt": "transaction",
    "VariableSetStmt": "set",
    "VariableShowStmt": "show",
    "PrepareStmt": "prepare",
    "ExecuteStmt": "execute",
    "DeallocateStmt": "deallocate",
    "DeclareCursorStmt": "cursor",
    "FetchStmt": "cursor",
    "ClosePortalStmt": "cursor",
    "CopyStmt": "copy",
    "VacuumStmt": "vacuum",
    "CheckPointStmt": "vacuum",
    "DiscardStmt": "discard",
    "ListenStmt": "unsupported",
    "NotifyStmt": "unsupported",
    "UnlistenStmt": "unsupported",
    "LockStmt": "unsupported",
    "DoStmt": "unsupported",
    "CallStmt": "unsupported",
    "LoadStmt": "unsupported",
}


def kind_of(tag: str) -> str:
    """What a node's tag asks for; everything that is not named in KINDS is "ddl"."""
    return KINDS.get(tag, "ddl")


@dataclass(frozen=True, slots=True)
class Lifted:
    """One lifted literal as the analyser meets it: `number` counts from 1 behind the statement's own
    parameters; `type_oid` is int4, int8, numeric or unknown (705)."""

    number: int
    type_oid: int


@dataclass(slots=True, eq=False)
class Template:
    """What all statements of one shape share; its identity is the plan cache's key."""

    node: Node
    tag: str
    kind: str
    # Types of the lifted literals, in order.
    lifted_types: tuple[int, ...] = ()
    # The highest $n of the text itself.
    parameter_count: int = 0
    # Its literals turned out to matter to analysis: such texts are planned as they stand.
    unliftable: bool = False
    # Plans by (parameter types, search path, user-visible settings); owned by the engine.
    plans: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Statement:
    """One statement of a text.

    `text` is the statement alone; `source` the whole text it came in, in which node locations (bytes
    from 0) count. `constants` are the values of the lifted literals, in order: int, Decimal, or str for
    unknown-typed strings.
    """

    template: Template
    text: str
    source: str
    location: int = 0
    constants: tuple[Any, ...] = ()

    @property
    def kind(self) -> str:
        return self.template.kind

    @property
    def node(self) -> Node:
        """`{"SelectStmt": {...}}`."""
        return self.template.node

    @property
    def tag(self) -> str:
        return self.template.tag

    @property
    def body(self) -> Node:
        """The node without its tag."""
        body: Node = self.template.node[self.template.tag]
        return body


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every (key, value) pair below `value`, parents first, without recursion."""
    stack = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            for key, inner in top.items():
                yield key, inner
                if isinstance(inner, dict | list):
                    stack.append(inner)
        elif isinstance(top, list):
            stack.extend(inner for inner in top if isinstance(inner, dict | list))


def derive(statement: Statement, node: Node) -> Statement:
    """A statement of its own for a node inside `statement`, or one composed from its parts."""
    tag = next(iter(node))
    highest = max(
        (value.get("number", 0) for key, value in walk(node) if key == "ParamRef"), default=0
    )
    template = Template(node=node, tag=tag, kind=kind_of(tag), parameter_count=highest)
    return Statement(
        template=template,
        text=statement.text,
        source=statement.source,
        location=statement.location,
        constants=(),
    )


def character_position(source: str, byte_location: int) -> int:
    """PostgreSQL's error position (characters from 1) of a node's location (bytes from 0); 0 where
    the location is unknown (negative)."""
    if byte_location < 0:
        return 0
    if source.isascii():
        return byte_location + 1
    return len(source.encode()[:byte_location].decode("utf-8", "ignore")) + 1
