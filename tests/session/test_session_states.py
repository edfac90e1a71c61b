"""A session's transaction states, as tables: what is said, what is answered, where it then stands."""

from __future__ import annotations

import asyncio

import pytest
from session_fakes import Cluster, Driver

from trilithon.core.errors import SqlError, Unavailable

# (statement, tag or !sqlstate, state afterwards)
SCRIPTS = {
    "implicit": [
        ("insert into t values (1, 'x')", "INSERT 0 1", "IDLE"),
        ("select * from t", "SELECT 1", "IDLE"),
        ("select fail('22012')", "!22012", "IDLE"),
    ],
    "block": [
        ("begin", "BEGIN", "BLOCK"),
        ("insert into t values (1, 'x')", "INSERT 0 1", "BLOCK"),
        ("commit", "COMMIT", "IDLE"),
        ("start transaction read only", "START TRANSACTION", "BLOCK"),
        ("end", "COMMIT", "IDLE"),
        ("begin", "BEGIN", "BLOCK"),
        ("abort", "ROLLBACK", "IDLE"),
    ],
    "failed block": [
        ("begin", "BEGIN", "BLOCK"),
        ("select fail('22012')", "!22012", "FAILED"),
        ("select 1", "!25P02", "FAILED"),
        ("show timezone", "!25P02", "FAILED"),
        ("begin", "!25P02", "FAILED"),
        ("savepoint a", "!25P02", "FAILED"),
        ("select syntax error from", "!42601", "FAILED"),
        ("commit", "ROLLBACK", "IDLE"),
        ("select 1", "SELECT 1", "IDLE"),
    ],
    "failed block rolled back": [
        ("begin", "BEGIN", "BLOCK"),
        ("select * from nope", "!42P01", "FAILED"),
        ("rollback", "ROLLBACK", "IDLE"),
    ],
    "savepoints": [
        ("savepoint a", "!25P01", "IDLE"),
        ("begin", "BEGIN", "BLOCK"),
        ("insert into t values (1, 'x')", "INSERT 0 1", "BLOCK"),
        ("savepoint a", "SAVEPOINT", "BLOCK"),
        ("insert into t values (2, 'y')", "INSERT 0 1", "BLOCK"),
        ("select fail('22012')", "!22012", "FAILED"),
        ("rollback to b", "!3B001", "FAILED"),
        ("rollback to a", "ROLLBACK", "BLOCK"),
        ("select * from t", "SELECT 1", "BLOCK"),
        ("rollback to a", "ROLLBACK", "BLOCK"),
        ("release a", "RELEASE", "BLOCK"),
        ("release a", "!3B001", "FAILED"),
        ("rollback", "ROLLBACK", "IDLE"),
        ("rollback to a", "!25P01", "IDLE"),
        ("release a", "!25P01", "IDLE"),
    ],
    "savepoints of one name": [
        ("begin", "BEGIN", "BLOCK"),
        ("savepoint a", "SAVEPOINT", "BLOCK"),
        ("insert into t values (1, 'x')", "INSERT 0 1", "BLOCK"),
        ("savepoint a", "SAVEPOINT", "BLOCK"),
        ("insert into t values (2, 'x')", "INSERT 0 1", "BLOCK"),
        ("rollback to a", "ROLLBACK", "BLOCK"),
        ("select * from t", "SELECT 1", "BLOCK"),
        ("release a", "RELEASE", "BLOCK"),
        ("rollback to a", "ROLLBACK", "BLOCK"),
        ("select * from t", "SELECT 0", "BLOCK"),
        ("commit", "COMMIT", "IDLE"),
    ],
    "chains": [
        ("begin read only", "BEGIN", "BLOCK"),
        ("commit and chain", "COMMIT", "BLOCK"),
        ("insert into t values (1, 'x')", "!25006", "FAILED"),
        ("rollback and chain", "ROLLBACK", "BLOCK"),
        ("rollback", "ROLLBACK", "IDLE"),
        ("commit and chain", "!25P01", "IDLE"),
    ],
    "read only": [
        ("begin read only", "BEGIN", "BLOCK"),
        ("select * from t", "SELECT 0", "BLOCK"),
        ("set transaction read write", "!25001", "FAILED"),
        ("rollback", "ROLLBACK", "IDLE"),
        ("begin", "BEGIN", "BLOCK"),
        ("set transaction read only", "SET", "BLOCK"),
        ("create table x (a int)", "!25006", "FAILED"),
        ("rollback", "ROLLBACK", "IDLE"),
        ("set default_transaction_read_only = on", "SET", "IDLE"),
        ("insert into t values (1, 'x')", "!25006", "IDLE"),
        ("begin read write", "BEGIN", "BLOCK"),
        ("insert into t values (1, 'x')", "INSERT 0 1", "BLOCK"),
        ("commit", "COMMIT", "IDLE"),
    ],
    "isolation": [
        ("begin isolation level serializable", "BEGIN", "BLOCK"),
        ("select 1", "SELECT 1", "BLOCK"),
        ("set transaction isolation level read committed", "!25001", "FAILED"),
        ("rollback", "ROLLBACK", "IDLE"),
        ("begin", "BEGIN", "BLOCK"),
        ("savepoint a", "SAVEPOINT", "BLOCK"),
        ("set transaction isolation level serializable", "!25001", "FAILED"),
        ("rollback", "ROLLBACK", "IDLE"),
    ],
    "vacuum": [
        ("vacuum", "VACUUM", "IDLE"),
        ("vacuum analyze t", "VACUUM", "IDLE"),
        ("analyze", "ANALYZE", "IDLE"),
        ("checkpoint", "CHECKPOINT", "IDLE"),
        ("begin", "BEGIN", "BLOCK"),
        ("vacuum", "!25001", "FAILED"),
    ],
    "refused": [
        ("listen x", "!0A000", "IDLE"),
        ("notify x", "!0A000", "IDLE"),
        ("unlisten *", "UNLISTEN", "IDLE"),
        ("lock table t", "!0A000", "IDLE"),
        ("do $$ begin end $$", "!0A000", "IDLE"),
        ("prepare transaction 'x'", "!0A000", "IDLE"),
        ("copy t from '/etc/passwd'", "!0A000", "IDLE"),
        ("copy t from program 'rm -rf /'", "!0A000", "IDLE"),
        ("set transaction snapshot '1'", "!0A000", "IDLE"),
    ],
    "prepare": [
        ("prepare p(int) as select $1", "PREPARE", "IDLE"),
        ("prepare p(int) as select $1", "!42P05", "IDLE"),
        ("execute p(1)", "SELECT 1", "IDLE"),
        ("execute p", "!42601", "IDLE"),
        ("execute q", "!26000", "IDLE"),
        ("deallocate p", "DEALLOCATE", "IDLE"),
        ("deallocate p", "!26000", "IDLE"),
        ("deallocate all", "DEALLOCATE ALL", "IDLE"),
        ("execute p(1)", "!26000", "IDLE"),
    ],
    "discard": [
        ("prepare p as select 1", "PREPARE", "IDLE"),
        ("set statement_timeout = 5000", "SET", "IDLE"),
        ("discard all", "DISCARD ALL", "IDLE"),
        ("execute p", "!26000", "IDLE"),
        ("begin", "BEGIN", "BLOCK"),
        ("discard all", "!25001", "FAILED"),
    ],
    "cursors": [
        ("declare c cursor for select series(5)", "!25P01", "IDLE"),
        ("begin", "BEGIN", "BLOCK"),
        ("declare c cursor for select series(5)", "DECLARE CURSOR", "BLOCK"),
        ("fetch 2 from c", "FETCH", "BLOCK"),
        ("close c", "CLOSE CURSOR", "BLOCK"),
        ("fetch c", "!34000", "FAILED"),
        ("rollback", "ROLLBACK", "IDLE"),
        ("close all", "CLOSE CURSOR ALL", "IDLE"),
    ],
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_script(name: str) -> None:
    driver = Driver()
    for step, (sql, tag, state) in enumerate(SCRIPTS[name]):
        assert (sql, await driver.tag(sql), driver.state) == (sql, tag, state), step
    assert driver.services.counters.transactions_open == (driver.state != "IDLE")


async def test_several_statements_are_one_implicit_transaction() -> None:
    driver = Driver()
    assert (
        await driver.tag("insert into t values (1,'a'); insert into t values (2,'b')")
        == "INSERT 0 1"
    )
    assert len(driver.cluster.rows) == 2
    assert driver.cluster.log == ["begin", "commit"]
    await driver.simple("insert into t values (3,'a'); select fail('22012')")
    assert len(driver.cluster.rows) == 2
    assert driver.state == "IDLE"


async def test_commit_inside_a_multi_statement_message() -> None:
    driver = Driver()
    await driver.simple(
        "insert into t values (1,'a'); commit; insert into t values (2,'b'); select fail('22012')"
    )
    assert [row[0] for row in driver.cluster.rows] == [1]
    assert driver.notices() == ["25P01"]


async def test_rollback_inside_a_multi_statement_message() -> None:
    driver = Driver()
    await driver.simple("insert into t values (1,'a'); rollback; insert into t values (2,'b')")
    assert [row[0] for row in driver.cluster.rows] == [2]
    assert driver.notices() == ["25P01"]


async def test_begin_inside_a_multi_statement_message_takes_what_ran_before() -> None:
    driver = Driver()
    await driver.simple("insert into t values (1,'a'); begin; insert into t values (2,'b')")
    assert driver.state == "BLOCK"
    assert driver.cluster.rows == []
    await driver.simple("rollback")
    assert driver.cluster.rows == []


async def test_savepoint_needs_a_real_block() -> None:
    driver = Driver()
    answers = await driver.simple("select 1; savepoint a")
    assert answers[-1].sqlstate == "25P01"


async def test_begin_costs_no_snapshot() -> None:
    driver = Driver()
    await driver.simple("begin")
    await driver.simple("set local statement_timeout = 0")
    await driver.simple("commit")
    assert driver.cluster.log == []


async def test_modes_reach_the_transaction() -> None:
    driver = Driver()
    for sql in ("begin isolation level serializable, read only", "select 1", "commit"):
        await driver.simple(sql)
    assert driver.cluster.begun == [{"read_only": True, "serializable": True}]
    await driver.simple("begin isolation level read committed")
    assert await driver.rows("show transaction isolation level") == [("read committed",)]
    await driver.simple("rollback")
    assert await driver.rows("show transaction_isolation") == [("repeatable read",)]


async def test_session_characteristics() -> None:
    driver = Driver()
    await driver.simple("set session characteristics as transaction isolation level serializable")
    await driver.simple("select 1")
    assert driver.cluster.begun[-1]["serializable"]


async def test_warnings() -> None:
    driver = Driver()
    for sql in ("commit", "rollback", "set local timezone = 'UTC'", "set transaction read only"):
        await driver.simple(sql)
        assert driver.notices() == ["25P01"], sql
    await driver.simple("begin")
    await driver.simple("begin")
    assert driver.notices() == ["25001"]
    await driver.simple("set client_min_messages = error")
    await driver.simple("begin")
    assert driver.notices() == []


@pytest.mark.parametrize(
    ("error", "sqlstate"),
    [
        (SqlError("40001", "change conflicts with another transaction (OC000)"), "40001"),
        (SqlError("40003", "unknown"), "40003"),
        (Unavailable("gone"), "40003"),
        (RuntimeError("a bug"), "40003"),
    ],
)
async def test_a_failed_commit_leaves_the_session_idle(error: Exception, sqlstate: str) -> None:
    driver = Driver(Cluster())
    await driver.simple("begin")
    await driver.simple("set timezone = 'Europe/Berlin'")
    await driver.simple("insert into t values (1, 'x')")
    driver.cluster.commit_error = error
    answer = await driver.one("commit")
    assert answer.sqlstate == sqlstate
    assert driver.state == "IDLE"
    assert await driver.rows("show timezone") == [("UTC",)]
    if sqlstate == "40003":
        assert "00000000-0000-0000-0000-000000000001" in answer.detail
        assert answer.hint
    assert await driver.tag("select 1") == "SELECT 1"


async def test_a_failed_implicit_commit_is_the_statements_error() -> None:
    driver = Driver()
    driver.cluster.commit_error = SqlError("40001", "conflict")
    assert await driver.tag("insert into t values (1, 'x')") == "!40001"
    assert driver.services.counters.conflicts == 1


async def test_unexpected_errors_are_internal_errors() -> None:
    driver = Driver()
    answer = await driver.one("select crash(1)")
    assert answer.sqlstate == "XX000"
    assert driver.state == "IDLE"


async def test_age_limit() -> None:
    driver = Driver()
    await driver.simple("begin")
    await driver.simple("insert into t values (1, 'x')")
    driver.services.clock.now_us += 301_000_000
    answer = await driver.one("select 1")
    assert (answer.sqlstate, answer.message) == ("54000", "transaction age limit of 300s exceeded")
    assert driver.state == "FAILED"
    assert await driver.tag("commit") == "ROLLBACK"

    await driver.simple("begin")
    await driver.simple("insert into t values (1, 'x')")
    driver.services.clock.now_us += 301_000_000
    assert await driver.tag("commit") == "!54000"
    assert driver.state == "IDLE"
    assert driver.cluster.rows == []


async def test_the_sweep_takes_old_transactions_their_buffers() -> None:
    driver = Driver()
    for sql in ("begin", "savepoint a", "insert into t values (1, 'x')"):
        await driver.simple(sql)
    driver.services.clock.now_us += 301_000_000
    driver.session.sweep(driver.services.clock.now_us)
    assert driver.cluster.log[-1] == "rollback"
    assert await driver.tag("rollback to a") == "!54000"
    assert await driver.tag("rollback") == "ROLLBACK"


async def test_cancel_of_a_running_statement() -> None:
    driver = Driver()
    await driver.simple("begin")
    task = asyncio.ensure_future(driver.one("select sleep(60)"))
    while not driver.session.busy:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    driver.session.cancel()
    answer = await task
    assert (answer.sqlstate, answer.message) == (
        "57014",
        "canceling statement due to user request",
    )
    assert driver.state == "FAILED"
    assert task.cancelling() == 0
    assert await driver.tag("rollback") == "ROLLBACK"


async def test_cancel_of_an_idle_session_does_nothing() -> None:
    driver = Driver()
    await driver.simple("select 1")
    driver.session.cancel()
    assert await driver.tag("select 1") == "SELECT 1"


async def test_a_commit_under_way_is_never_cancelled() -> None:
    driver = Driver()
    driver.cluster.commit_gate = asyncio.Event()
    task = asyncio.ensure_future(driver.one("insert into t values (1, 'x')"))
    while not driver.session.committing:
        await asyncio.sleep(0)
    driver.session.cancel()
    driver.session.cancel("timeout")
    driver.services.clock.now_us += 400_000_000
    driver.session.sweep(driver.services.clock.now_us)
    driver.cluster.commit_gate.set()
    assert await task == ("INSERT 0 1", [])
    assert driver.cluster.rows == [(1, "x")]


async def test_statement_timeout() -> None:
    driver = Driver()
    await driver.simple("set statement_timeout = '20ms'")
    answer = await driver.one("select sleep(60)")
    assert (answer.sqlstate, answer.message) == (
        "57014",
        "canceling statement due to statement timeout",
    )
    await driver.simple("set statement_timeout = 0")
    assert await driver.tag("select sleep(0.03)") != "!57014"


async def test_idle_in_transaction_timeout() -> None:
    driver = Driver()
    ended: asyncio.Future[SqlError] = asyncio.get_running_loop().create_future()
    driver.session.terminate = ended.set_result
    await driver.simple("set idle_in_transaction_session_timeout = 10")
    await driver.simple("begin")
    error = await asyncio.wait_for(ended, 5)
    assert (error.sqlstate, error.severity) == ("25P03", "FATAL")


async def test_cursor_walks() -> None:
    driver = Driver()
    await driver.simple("begin")
    await driver.simple("declare c scroll cursor for select stream(5)")
    for fetch, expected in [
        ("fetch c", [1]),
        ("fetch 2 from c", [2, 3]),
        ("fetch backward 2 from c", [2, 1]),
        ("fetch prior c", []),
        ("fetch all from c", [1, 2, 3, 4, 5]),
        ("fetch c", []),
        ("fetch prior c", [5]),
        ("fetch absolute 2 from c", [2]),
        ("fetch relative 2 from c", [4]),
        ("fetch relative 0 from c", [4]),
        ("fetch last c", [5]),
        ("fetch first c", [1]),
        ("fetch absolute -2 from c", [4]),
        ("fetch backward all from c", [3, 2, 1]),
    ]:
        assert [row[0] for row in await driver.rows(fetch)] == expected, fetch
    assert await driver.tag("move forward 3 from c") == "MOVE 3"


async def test_forward_cursor() -> None:
    driver = Driver()
    await driver.simple("begin")
    await driver.simple("declare c cursor for select stream(2500)")
    assert len(await driver.rows("fetch 1500 from c")) == 1500
    assert await driver.rows("fetch absolute 1600 from c") == [(1600,)]
    assert len(await driver.rows("fetch all from c")) == 900
    assert await driver.rows("fetch c") == []
    assert await driver.tag("fetch prior from c") == "!55000"


async def test_held_cursor_outlives_its_transaction() -> None:
    driver = Driver()
    await driver.simple("begin")
    await driver.simple("declare c cursor with hold for select stream(1500)")
    await driver.simple("fetch 10 from c")
    await driver.simple("commit")
    assert len(await driver.rows("fetch all from c")) == 1490
    await driver.simple("begin")
    await driver.simple("declare d cursor with hold for select stream(3)")
    driver.cluster.commit_error = SqlError("40001", "conflict")
    await driver.simple("commit")
    assert await driver.tag("fetch d") == "!34000"
    assert await driver.tag("close c") == "CLOSE CURSOR"


async def test_cursors_opened_after_a_savepoint_go_with_it() -> None:
    driver = Driver()
    for sql in (
        "begin",
        "declare a cursor for select series(3)",
        "savepoint s",
        "declare b cursor for select series(3)",
        "select fail('22012')",
        "rollback to s",
    ):
        await driver.simple(sql)
    assert await driver.tag("fetch a") == "FETCH"
    assert await driver.tag("fetch b") == "!34000"


async def test_execute_with_expressions() -> None:
    driver = Driver()
    await driver.simple("prepare p(int, text) as select $1, $2")
    assert await driver.rows("execute p('7', 'x')") == [(7, "x")]
    assert await driver.tag("execute p('x', 'x')") == "!22P02"
