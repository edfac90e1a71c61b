"""Invariants that stay on in production."""


class InvariantViolation(BaseException):
    """A rule that must hold does not. The process stops: going on could break a promise.

    Derives from BaseException so that no handler of ordinary failures swallows it.
    """


def require(condition: object, rule: str) -> None:
    """Stop the process unless `condition` holds; `rule` is the rule in words."""
    if not condition:
        raise InvariantViolation(rule)
