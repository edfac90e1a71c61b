"""EXPLAIN: its options, and a statement's plan as rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.query.execute.metering import Analyzed, Meter, measure
from trilithon.query.execute.operators import ConstantRows, Operator
from trilithon.query.parse import Statement
from trilithon.query.plan import explain
from trilithon.types.registry import JSON, TEXT, TypeRef

_TRUE: Final = frozenset({"true", "on", "1", ""})
_FALSE: Final = frozenset({"false", "off", "0"})
# What PostgreSQL knows; the plan has nothing to say to some of them.
_SWITCHES: Final = frozenset(
    {"analyze", "verbose", "costs", "settings", "buffers", "wal", "timing", "summary"}
)


@dataclass(frozen=True, slots=True)
class Options:
    analyze: bool = False
    verbose: bool = False
    timing: bool = True
    summary: bool = False
    as_json: bool = False

    @property
    def type(self) -> TypeRef:
        return JSON if self.as_json else TEXT


def options_of(statement: Statement) -> Options:
    """Raises 42601, 22023, 0A000."""
    given: dict[str, bool] = {}
    form = "text"
    for item in statement.body.get("options", ()):
        element = item["DefElem"]
        name = element["defname"]
        value = _value(element.get("arg", {}))
        if name == "format":
            form = value
        elif name in _SWITCHES:
            given[name] = _switch(name, value)
        else:
            raise SqlError("42601", f'unrecognized EXPLAIN option "{name}"')
    if form not in ("text", "json", "xml", "yaml"):
        raise SqlError("22023", f'unrecognized value for EXPLAIN option "format": "{form}"')
    if form in ("xml", "yaml"):
        raise SqlError("0A000", f"EXPLAIN (FORMAT {form.upper()}) is not supported")
    analyze = given.get("analyze", False)
    for name in ("wal", "timing"):
        if given.get(name) and not analyze:
            raise SqlError("22023", f"EXPLAIN option {name.upper()} requires ANALYZE")
    return Options(
        analyze,
        given.get("verbose", False),
        given.get("timing", True),
        given.get("summary", analyze),
        form == "json",
    )


def _value(argument: Mapping[str, Any]) -> str:
    if "String" in argument:
        return str(argument["String"].get("sval", "")).lower()
    if "Integer" in argument:
        return str(argument["Integer"].get("ival", 0))
    if "Boolean" in argument:
        return "true" if argument["Boolean"].get("boolval") else "false"
    return ""


def _switch(name: str, value: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise SqlError("42601", f"{name} requires a Boolean value")


def explained(
    root: Operator, options: Options, names: Mapping[int, str], planning_s: float
) -> Operator:
    """An operator whose rows describe the plan; with ANALYZE it executes it first."""
    shown = names if options.verbose else {}

    def describe(meters: dict[int, Meter] | None, execution_s: float) -> list[tuple[Any, ...]]:
        look = explain.Look(shown, meters, options.timing)
        times = []
        if options.summary:
            times.append(("Planning Time", planning_s))
            if meters is not None:
                times.append(("Execution Time", execution_s))
        if options.as_json:
            document: dict[str, Any] = {"Plan": explain.as_document(root, look)}
            document.update((label, round(value * 1e3, 3)) for label, value in times)
            return [(json.dumps([document], indent=2),)]
        lines = explain.as_text(root, look)
        lines += [f"{label}: {value * 1e3:.3f} ms" for label, value in times]
        return [(line,) for line in lines]

    if not options.analyze:
        return ConstantRows((0,), describe(None, 0.0))
    measure(root)
    return Analyzed((0,), root, describe)
