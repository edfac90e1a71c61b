"""How functions that look into the catalog are registered.

`EvalContext.session` gives `catalog` (the transaction's) and `search_path`. A signature that somebody else
has registered stays theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.registry import FUNCTIONS, STABLE, function


def registered(signature: str) -> bool:
    return signature.partition(" ->")[0].replace(", ", ",") in FUNCTIONS


def stable(signature: str, **flags: Any) -> Callable[[Any], Any]:
    def decorate(call: Any) -> Any:
        if not registered(signature):
            function(signature, context=True, volatility=STABLE, nullable=True, **flags)(call)
        return call

    return decorate


def constant(signature: str, value: Any) -> None:
    stable(signature)(lambda context, *arguments: value)


def catalog_of(context: Any) -> Any:
    catalog = getattr(context.session, "catalog", None)
    if catalog is None:
        raise SqlError("55000", "the catalog can only be looked up within a transaction")
    return catalog


def path_of(context: Any) -> tuple[str, ...]:
    return tuple(getattr(context.session, "search_path", ("public",)))
