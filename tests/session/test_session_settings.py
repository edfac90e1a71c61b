"""SET, SHOW, RESET: values, units, layers, undo."""

from __future__ import annotations

import pytest
from session_fakes import Driver

from trilithon.core.errors import SqlError
from trilithon.query.session.settings import SessionSettings, split_identifiers


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("statement_timeout", "5000", "5s"),
        ("statement_timeout", "5min", "5min"),
        ("statement_timeout", "1.5s", "1500ms"),
        ("statement_timeout", "0", "0"),
        ("work_mem", "4096", "4MB"),
        ("work_mem", "1GB", "1GB"),
        ("geqo", "YES", "on"),
        ("geqo", "f", "off"),
        ("synchronous_commit", "false", "off"),
        ("synchronous_commit", "remote_apply", "remote_apply"),
        ("bytea_output", "ESCAPE", "escape"),
        ("timezone", "europe/berlin", "Europe/Berlin"),
        ("timezone", "-7", "<-07>+07"),
        ("timezone", "5.5", "<+05:30>-05:30"),
        ("datestyle", "dmy", "ISO, DMY"),
        ("client_encoding", "utf-8", "UTF8"),
        ("application_name", "näh", "n??h"),
        ("seq_page_cost", "1.5", "1.5"),
        ("extra_float_digits", "3", "3"),
        ("my.own", "anything", "anything"),
        ("search_path", 'a, "B"', 'a, "B"'),
    ],
)
def test_values(name: str, value: str, shown: str) -> None:
    settings = SessionSettings("admin", "postgres")
    settings.set(name, value)
    if name == "application_name":
        assert settings.show(name).startswith("n")
        assert settings.show(name).isascii()
    else:
        assert settings.show(name) == shown


@pytest.mark.parametrize(
    ("name", "value", "sqlstate"),
    [
        ("nonsense", "1", "42704"),
        ("trilithon.nonsense", "1", "42704"),
        ("statement_timeout", "-1", "22023"),
        ("statement_timeout", "abc", "22023"),
        ("statement_timeout", "5 parsecs", "22023"),
        ("statement_timeout", "99999999999", "22023"),
        ("geqo", "o", "22023"),
        ("bytea_output", "base64", "22023"),
        ("timezone", "Mars/Olympus", "22023"),
        ("timezone", "nan", "22023"),
        ("datestyle", "iso, what", "22023"),
        ("client_encoding", "LATIN1", "22023"),
        ("standard_conforming_strings", "off", "0A000"),
        ("session_replication_role", "replica", "0A000"),
        ("server_version", "9.0", "55P02"),
        ("max_connections", "5", "55P02"),
        ("role", "bob", "0A000"),
    ],
)
def test_refused(name: str, value: str, sqlstate: str) -> None:
    settings = SessionSettings("admin", "postgres")
    before = settings.version
    with pytest.raises(SqlError) as caught:
        settings.set(name, value)
    assert caught.value.sqlstate == sqlstate
    assert settings.version == before


async def show(driver: Driver, name: str) -> str:
    return (await driver.rows(f"show {name}"))[0][0]


async def test_set_is_undone_by_rollback() -> None:
    driver = Driver()
    for sql in ("begin", "set timezone = 'Europe/Berlin'", "rollback"):
        await driver.simple(sql)
    assert await show(driver, "timezone") == "UTC"
    for sql in ("begin", "set timezone = 'Europe/Berlin'", "commit"):
        await driver.simple(sql)
    assert await show(driver, "timezone") == "Europe/Berlin"
    await driver.simple("set timezone = 'UTC'; select fail('22012')")
    assert await show(driver, "timezone") == "Europe/Berlin"


async def test_local_ends_with_the_transaction() -> None:
    driver = Driver()
    await driver.simple("begin")
    await driver.simple("set local statement_timeout = 5000")
    assert await show(driver, "statement_timeout") == "5s"
    await driver.simple("set statement_timeout = 6000")
    assert await show(driver, "statement_timeout") == "6s"
    await driver.simple("set local statement_timeout = 7000")
    await driver.simple("commit")
    assert await show(driver, "statement_timeout") == "6s"


async def test_savepoints_undo_settings() -> None:
    driver = Driver()
    for sql in (
        "begin",
        "set timezone = 'Europe/Berlin'",
        "savepoint a",
        "set timezone = 'Asia/Tokyo'",
        "rollback to a",
    ):
        await driver.simple(sql)
    assert await show(driver, "timezone") == "Europe/Berlin"
    for sql in ("set timezone = 'Asia/Tokyo'", "release a", "commit"):
        await driver.simple(sql)
    assert await show(driver, "timezone") == "Asia/Tokyo"


async def test_reset_goes_back_to_the_startup_packet() -> None:
    driver = Driver()
    driver.session.settings.start({"application_name": "app", "timezone": "Asia/Tokyo"})
    await driver.simple("set timezone = 'UTC'")
    await driver.simple("reset timezone")
    assert await show(driver, "timezone") == "Asia/Tokyo"
    await driver.simple("set application_name = 'x'; set a.b = 'c'")
    await driver.simple("reset all")
    assert await show(driver, "application_name") == "app"
    assert await driver.tag("show a.b") == "!42704"


async def test_show_all_and_columns() -> None:
    driver = Driver()
    rows = await driver.rows("show all")
    names = [row[0] for row in rows]
    assert "TimeZone" in names
    assert "server_version" in names
    assert "is_superuser" not in names
    assert all(isinstance(cell, str) for row in rows for cell in row)


async def test_set_forms() -> None:
    driver = Driver()
    for sql, name, shown in [
        ("set time zone interval '-08:00' hour to minute", "timezone", "<-08>+08"),
        ("set time zone local", "timezone", "UTC"),
        ("set search_path to a, \"B\", 'c d'", "search_path", 'a, "B", "c d"'),
        ("set names 'utf8'", "client_encoding", "UTF8"),
        (
            "set session characteristics as transaction read only",
            "default_transaction_read_only",
            "on",
        ),
        ("set a.b = 1, 2", "a.b", "1, 2"),
        ("set geqo to default", "geqo", "on"),
        ("set role none", "role", "none"),
        ("set session authorization default", "session_authorization", "admin"),
    ]:
        assert await driver.tag(sql) == "SET", sql
        assert await show(driver, name) == shown, sql
    assert await driver.tag("set statement_timeout = 1, 2") == "!22023"


async def test_set_config_hook() -> None:
    driver = Driver()
    session = driver.session
    assert session.set_config("timezone", "Europe/Berlin", False) == "Europe/Berlin"
    await session.end_implicit()
    assert session.current_setting("TimeZone") == "Europe/Berlin"
    assert session.current_setting("no.such", True) is None
    with pytest.raises(SqlError):
        session.current_setting("nosuch")


def test_search_path_lists() -> None:
    assert split_identifiers('"$user", public') == ("$user", "public")
    assert split_identifiers('A, "B""c" , d') == ("a", 'B"c', "d")
    assert split_identifiers("") == ()
    with pytest.raises(SqlError):
        split_identifiers('"open')
