"""Pushed-down programs: a filter, a projection and an aggregation, evaluated where the rows are.

The query processor sends a program's bytes with every read; equal bytes are compiled once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, cast

from trilithon.core.errors import SqlError
from trilithon.expression.context import EvalContext
from trilithon.expression.partial import PartialGroups
from trilithon.expression.program import CompiledProgram, MalformedProgram, Program, pushable
from trilithon.storage.jobs import Filtered
from trilithon.types.rows import decode_rows, encode_row, join_rows

_PROGRAMS_MAX: Final = 1_024
_BYTES_MAX: Final = 32 * 1024 * 1024


class PushedProgram:
    """Rows in, rows out, both encoded. Filter and projection are compiled apart, so that it can be
    told which rows passed."""

    __slots__ = (
        "_context",
        "_filter",
        "_missing",
        "_prepare",
        "_projection",
        "aggregation",
        "types",
    )

    def __init__(self, program: Program) -> None:
        for expression in (program.filter, *(program.projection or ())):
            if expression is not None and not pushable(expression):
                raise MalformedProgram("it needs more than a row and immutable functions")
        self._missing = program.missing
        self._filter: CompiledProgram | None = None
        self._projection: CompiledProgram | None = None
        if program.filter is not None:
            self._filter = Program(filter=program.filter).compiled()
        if program.projection is not None:
            self._projection = Program(projection=program.projection).compiled()
        self._context = EvalContext()
        self.aggregation = program.aggregation
        # Of an aggregating program: the prepared rows' types, and what makes them.
        self.types: tuple[int, ...] = ()
        self._prepare: CompiledProgram | None = None
        if program.aggregation is not None:
            assert program.projection is not None
            self.types = tuple(expression.type.oid for expression in program.projection)
            if program.projection or program.filter is not None:
                self._prepare = program.compiled()

    @property
    def reads_rows(self) -> bool:
        """Of an aggregating program: False where it only counts them."""
        return self._prepare is not None

    def new_groups(self) -> PartialGroups:
        assert self.aggregation is not None
        return PartialGroups(self.aggregation, self.types[: self.aggregation.width])

    def prepared(self, rows: Sequence[bytes]) -> list[Any]:
        """Of an aggregating program: the prepared rows of those that pass. Raises SqlError."""
        if self._prepare is None:
            return [()] * len(rows)
        return self._prepare.run(decode_rows(join_rows(rows)), self._context)

    def apply_to_each(self, rows: Sequence[bytes]) -> Filtered:
        """Raises SqlError when evaluating fails for any of the rows."""
        given = cast("list[list[Any]]", decode_rows(join_rows(rows)))
        if width := len(self._missing):
            missing = self._missing
            given = [row if len(row) >= width else [*row, *missing[len(row) :]] for row in given]
        passed: list[Any] = given
        if self._filter is not None:
            passed = self._filter.run(given, self._context)
        if self._projection is not None:
            made = iter(list(map(encode_row, self._projection.run(passed, self._context))))
        else:
            made = None
        # A filter gives the very rows that passed, in order.
        results: Filtered = []
        following = iter(passed)
        expected = next(following, None)
        for row, data in zip(given, rows, strict=True):
            if row is not expected:
                results.append(None)
                continue
            expected = next(following, None)
            if made is not None:
                results.append(next(made))
            else:
                results.append(encode_row(row) if width else data)
        return results


class ProgramCache:
    """The programs used last, bounded in number and in bytes. Failures are remembered too: compiling
    one is dear, and who sends it sends it again."""

    __slots__ = ("_bytes", "_programs")

    def __init__(self) -> None:
        self._programs: OrderedDict[bytes, PushedProgram | SqlError | ValueError] = OrderedDict()
        self._bytes = 0

    def compiled(self, data: bytes) -> PushedProgram:
        """Raises ValueError for bytes that are no program, SqlError for one that cannot be compiled."""
        found = self._programs.get(data)
        if found is None:
            found = _compile(data)
            self._programs[data] = found
            self._bytes += len(data)
            while len(self._programs) > _PROGRAMS_MAX or self._bytes > _BYTES_MAX:
                oldest, _ = self._programs.popitem(last=False)
                self._bytes -= len(oldest)
        else:
            self._programs.move_to_end(data)
        if isinstance(found, PushedProgram):
            return found
        raise found


def _compile(data: bytes) -> PushedProgram | SqlError | ValueError:
    try:
        return PushedProgram(Program.from_bytes(data))
    except SqlError as error:
        return error
    except ValueError as error:
        return error
