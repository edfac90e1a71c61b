"""Invariants that stay on in production."""

from collections.abc import Callable


class InvariantViolation(BaseException):
    """A rule that must hold does not. The process stops: going on could break a promise.

    Derives from BaseException so that no handler of ordinary failures swallows it.
    """


_stop: Callable[[str], None] | None = None


def stop_process_with(stop: Callable[[str], None] | None) -> None:
    """What a violation calls first, from whatever thread or task it happens in: a process of a
    cluster ends itself there. Without it (tests, simulation) only the exception is raised."""
    global _stop
    _stop = stop


def require(condition: object, rule: str) -> None:
    """Stop the process unless `condition` holds; `rule` is the rule in words."""
    if not condition:
        if _stop is not None:
            _stop(rule)
        raise InvariantViolation(rule)
