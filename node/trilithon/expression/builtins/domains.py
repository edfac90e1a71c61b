"""What a cast to a domain checks."""

from __future__ import annotations

from typing import Any

from trilithon.core.errors import SqlError
from trilithon.expression.registry import function


def domain_error(domain: str, constraint: str) -> SqlError:
    """Without a constraint's name: NOT NULL."""
    if not constraint:
        return SqlError("23502", f"domain {domain} does not allow null values")
    return SqlError(
        "23514",
        f'value for domain {domain} violates check constraint "{constraint}"',
        constraint=constraint,
    )


# The analyser puts the call there.
@function("domain_check(anyelement, bool, text, text) -> anyelement", strict=False)
def _check(value: Any, holds: bool | None, domain: str, constraint: str) -> Any:
    if holds is False:
        raise domain_error(domain, constraint)
    return value
