"""jsonpath's texts that try to break its parser: what they mean is compared with PostgreSQL in the corpus."""

from __future__ import annotations

import pytest

from trilithon.core.errors import SqlError
from trilithon.types import binary_io, text_io
from trilithon.types.registry import lookup_type

JSONPATH = lookup_type("jsonpath")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "$" + ")" * 5_000,
        "$" + ".a" * 5_000,
        "$" + " ? (@.a == 1)" * 5_000,
        "$ ? (" * 5_000 + "1 == 1" + ")" * 5_000,
        "1" + " + 1" * 5_000,
        "-" * 5_000 + "$",
        "$ == 1" + " && $ == 1" * 5_000,
        "$[" * 5_000 + "0" + "]" * 5_000,
    ],
)
def test_paths_without_end_are_refused(text: str) -> None:
    with pytest.raises(SqlError) as refused:
        text_io.parse(JSONPATH, text)
    assert refused.value.sqlstate == "54001"


def test_its_own_text_is_the_same_path() -> None:
    once = text_io.parse(JSONPATH, "strict $.a[1 to last].** ? (@.x == $y || exists (@.z)).type()")
    assert text_io.parse(JSONPATH, once) == once


def test_the_binary_form_has_a_version() -> None:
    data = binary_io.render(JSONPATH, '$."a"')
    assert data == b'\x01$."a"'
    assert binary_io.parse(JSONPATH, data) == '$."a"'
    with pytest.raises(SqlError) as refused:
        binary_io.parse(JSONPATH, b"\x02$")
    assert refused.value.sqlstate == "XX000"
