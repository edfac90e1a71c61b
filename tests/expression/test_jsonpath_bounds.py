"""A jsonpath over a large document ends, whatever it asks for."""

from __future__ import annotations

import pytest

from trilithon.core.errors import SqlError
from trilithon.expression.jsonpath import STEPS_MAX, Evaluation
from trilithon.types import json_value
from trilithon.types.jsonpath_syntax import parse
from trilithon.types.settings import DEFAULT_SETTINGS


def _run(path: str, text: str) -> list[object]:
    root = json_value.load(text, "jsonb")
    return list(Evaluation(parse(path), root, {}, False, DEFAULT_SETTINGS).items())


def test_all_pairs_of_many_items_are_too_many() -> None:
    many = json_value.dump(list(range(int(STEPS_MAX**0.5) + 10)))
    with pytest.raises(SqlError) as refused:
        _run('$[*] ? ($[*] == "x")', many)
    assert refused.value.sqlstate == "54001"
    with pytest.raises(SqlError) as refused:
        _run("strict ($[*] == $[*])", many)
    assert refused.value.sqlstate == "54001"


def test_the_deepest_document_is_looked_through() -> None:
    deep = "[" * json_value.DEPTH_MAX + "]" * json_value.DEPTH_MAX
    assert len(_run("$.**", deep)) == json_value.DEPTH_MAX
