"""Failures as SQL clients see them.

`SqlError` is raised anywhere between the parser and the verdict, and becomes PostgreSQL's
ErrorResponse or `trilithon.v1.SqlError`. Conflicts inside the adjudicator are verdicts, not
exceptions; the query processor turns a verdict into a SqlError at the session's edge.
"""

from __future__ import annotations


class SqlError(Exception):
    """A failure with its SQLSTATE (five characters, PostgreSQL's Appendix A).

    `position` counts characters of the statement from 1; 0 where there is none.
    """

    def __init__(
        self,
        sqlstate: str,
        message: str,
        *,
        detail: str = "",
        hint: str = "",
        position: int = 0,
        severity: str = "ERROR",
        schema: str = "",
        table: str = "",
        column: str = "",
        constraint: str = "",
        data_type: str = "",
        where: str = "",
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message
        self.detail = detail
        self.hint = hint
        self.position = position
        self.severity = severity
        self.schema = schema
        self.table = table
        self.column = column
        self.constraint = constraint
        self.data_type = data_type
        # PostgreSQL's CONTEXT: where it happened, e.g. "COPY t, line 3".
        self.where = where

    def __str__(self) -> str:
        return f"{self.sqlstate}: {self.message}"


class Unavailable(Exception):
    """The other side cannot be reached or cannot answer now. Nothing is known about the effect."""


class Overloaded(Exception):
    """A bound was hit before anything was sent; nothing was done."""
