"""docs/sql.md tells the truth: its statements run, what it calls missing is refused with the SQLSTATE
that it names, and its lists are the code's."""

from __future__ import annotations

import re

import msgspec
import psycopg
import pytest
from function_lists import PAGE, with_lists
from harness import Cluster

from trilithon.chassis.config import Limits
from trilithon.types.registry import TYPES

TEXT = PAGE.read_text("utf-8")
BLOCKS = re.findall(r"^```sql\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
REFUSED = re.findall(r"^\| `((?:[^`])+)` \| ([0-9A-Z, ]+) \|$", TEXT, re.MULTILINE)
REFUSED = [(sql, codes) for sql, codes in REFUSED if " " in sql]


def test_the_lists_of_functions_are_the_registry() -> None:
    assert with_lists(TEXT) == TEXT, "run .venv/bin/python tests/docs/function_lists.py"


def test_the_types_are_there() -> None:
    listed = TEXT.partition("<!-- types -->")[2].partition("<!-- end -->")[0]
    names = re.findall(r"`([^`]+)`", listed)
    assert len(names) > 15
    assert set(names) <= {info.sql_name for info in TYPES.values()}


def test_the_limits_are_the_defaults() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([0-9,]+) \| \w+ \|$", TEXT, re.MULTILINE)
    documented = {name: int(value.replace(",", "")) for name, value in rows}
    assert documented == msgspec.structs.asdict(Limits())


def test_every_statement_runs(cluster: Cluster) -> None:
    """Block after block, in one session."""
    assert len(BLOCKS) >= 4
    with psycopg.connect(**cluster.postgresql("a"), autocommit=True) as session:
        for block in BLOCKS:
            for sql in filter(str.strip, re.split(r";\n", block)):
                try:
                    session.execute(sql)  # type: ignore[arg-type]
                except psycopg.Error as error:
                    pytest.fail(f"docs/sql.md says that this works:\n{sql}\n{error}")


def test_what_is_missing_is_refused(cluster: Cluster) -> None:
    assert len(REFUSED) > 20
    with psycopg.connect(**cluster.postgresql("b"), autocommit=True) as session:
        for sql, codes in REFUSED:
            try:
                session.execute(sql)  # type: ignore[arg-type]
            except psycopg.Error as error:
                assert error.sqlstate in codes.split(", "), (sql, error)
            else:
                pytest.fail(f"docs/sql.md calls this missing, but it works now: {sql}")
