"""jsonb_path_exists(), jsonb_path_query() and their kin, @? and @@ (the paths themselves: expression/jsonpath)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.jsonpath import Evaluation, Unfit, as_json, regex_of
from trilithon.expression.registry import IMMUTABLE, STABLE, function, operator
from trilithon.types import json_value as jv
from trilithon.types.jsonpath_syntax import add_pattern_check, parse

_EMPTY = "{}"


add_pattern_check(regex_of)


def _evaluation(ctx: Any, zoned: bool, text: str, path: str, variables: str | None) -> Evaluation:
    values = None if variables is None else jv.load(variables, "jsonb")
    if variables is not None and not isinstance(values, dict):
        raise SqlError(
            "22023",
            '"vars" argument is not an object',
            detail='Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
        )
    return Evaluation(parse(path), jv.load(text, "jsonb"), values, zoned, ctx.settings)


def _items(evaluation: Evaluation, silent: bool) -> Iterator[Any]:
    """What is found; an error ends it, quietly where `silent`."""
    try:
        yield from evaluation.items()
    except Unfit:
        if not silent:
            raise


def _exists(evaluation: Evaluation, silent: bool) -> bool | None:
    found = False
    try:
        for _ in evaluation.items():
            found = True
            if evaluation.path.lax:
                break
    except Unfit:
        if not silent:
            raise
        return None
    return found


def _match(evaluation: Evaluation, silent: bool) -> bool | None:
    found = list(_items(evaluation, silent))
    if len(found) == 1 and (found[0] is None or isinstance(found[0], bool)):
        return found[0]
    if not silent:
        raise SqlError("22038", "single boolean result is expected")
    return None


def _query(evaluation: Evaluation, silent: bool) -> Iterator[str]:
    return (as_json(item) for item in _items(evaluation, silent))


def _query_array(evaluation: Evaluation, silent: bool) -> str:
    return "[" + ", ".join(as_json(item) for item in list(_items(evaluation, silent))) + "]"


def _query_first(evaluation: Evaluation, silent: bool) -> str | None:
    # PostgreSQL looks for all of them, so an error behind the first one counts.
    found = list(_items(evaluation, silent))
    return as_json(found[0]) if found else None


def _caller(run: Callable[..., Any], zoned: bool) -> Callable[..., Any]:
    def call(ctx: Any, text: str, path: str, variables: str = _EMPTY, silent: bool = False) -> Any:
        return run(_evaluation(ctx, zoned, text, path, variables), silent)

    return call


for _name, _result, _run in (
    ("jsonb_path_exists", "bool", _exists),
    ("jsonb_path_match", "bool", _match),
    ("jsonb_path_query", "setof jsonb", _query),
    ("jsonb_path_query_array", "jsonb", _query_array),
    ("jsonb_path_query_first", "jsonb", _query_first),
):
    for _suffix, _zoned in (("", False), ("_tz", True)):
        for _more in ("", ", jsonb", ", jsonb, bool"):
            function(
                f"{_name}{_suffix}(jsonb, jsonpath{_more}) -> {_result}",
                context=True,
                nullable=True,
                volatility=STABLE if _zoned else IMMUTABLE,
            )(_caller(_run, _zoned))


@operator("jsonb @? jsonpath -> bool", context=True, nullable=True)
def _has(ctx: Any, text: str, path: str) -> bool | None:
    return _exists(_evaluation(ctx, False, text, path, None), True)


@operator("jsonb @@ jsonpath -> bool", context=True, nullable=True)
def _satisfies(ctx: Any, text: str, path: str) -> bool | None:
    return _match(_evaluation(ctx, False, text, path, None), True)
