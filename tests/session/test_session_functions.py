"""Functions that answer from the session."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from session_fakes import Driver

from trilithon.core.errors import SqlError
from trilithon.expression.registry import FUNCTIONS
from trilithon.query.session.functions import register_session_functions

register_session_functions()


def call(driver: Driver, name: str, *arguments: object) -> object:
    return FUNCTIONS[name].call(driver.session.context(()), *arguments)


def test_registering_twice_changes_nothing() -> None:
    before = len(FUNCTIONS)
    register_session_functions()
    assert len(FUNCTIONS) == before


async def test_answers() -> None:
    driver = Driver()
    assert call(driver, "current_user()") == "admin"
    assert call(driver, "current_database()") == "postgres"
    assert call(driver, "version()").startswith("PostgreSQL 16")
    assert call(driver, "pg_char_to_encoding(name)", "utf-8") == 6
    assert call(driver, "pg_client_encoding()") == "UTF8"
    assert call(driver, "current_setting(text)", "TimeZone") == "UTC"
    assert call(driver, "current_setting(text,bool)", "no.such", True) is None
    with pytest.raises(SqlError):
        call(driver, "current_setting(text)", "nosuch")
    with pytest.raises(SqlError):
        call(driver, "set_config(text,text,bool)", None, "x", False)


async def test_schemas_of_the_search_path() -> None:
    driver = Driver()
    await driver.simple('set search_path = "$user", x, public')
    await driver.simple("begin")
    await driver.simple("select 1")
    existing = {"public", "pg_catalog"}
    driver.session.transaction.catalog = SimpleNamespace(
        schema=lambda name: name if name in existing else None
    )
    assert call(driver, "current_schema()") == "public"
    assert call(driver, "current_schemas(bool)", True).items == ("pg_catalog", "public")
    existing.clear()
    assert call(driver, "current_schema()") is None
