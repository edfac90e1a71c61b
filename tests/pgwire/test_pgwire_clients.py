"""Real clients against the listener: psycopg (sync, async, pipelines, binary, COPY), asyncpg, pg8000,
psql; encrypted and with passwords."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pg8000.native
import psycopg
import pytest
import trustme
from session_fakes import Cluster, make_services_for

from trilithon.core.errors import SqlError
from trilithon.query.pgwire.authentication import FixedRoles, ScramVerifier, mock_verifier
from trilithon.query.pgwire.listener import Listener, ListenerOptions


def dsn(listener: Listener, more: str = "") -> str:
    host, _, port = listener.address.rpartition(":")
    return f"host={host} port={port} user=admin dbname=postgres connect_timeout=10 {more}"


async def in_thread(function: Any, *arguments: Any) -> Any:
    return await asyncio.wait_for(asyncio.to_thread(function, *arguments), 20)


async def test_psycopg(listener: Listener, cluster: Cluster) -> None:
    def talk() -> None:
        with psycopg.connect(dsn(listener)) as connection:
            assert connection.info.server_version == 160013
            assert connection.execute("select %s::int4, %s", (5, "x")).fetchall() == [(5, "x")]
            with connection.cursor(binary=True) as cursor:
                assert cursor.execute("select %b::int4", (7,)).fetchone() == (7,)
            connection.execute("insert into t values (1, 'a')")
            with pytest.raises(psycopg.errors.DivisionByZero), connection.transaction():
                connection.execute("select fail('22012')")
            connection.commit()
            with connection.cursor("named") as cursor:
                cursor.execute("select stream(2500)")
                assert sum(1 for _ in cursor) == 2500
            connection.rollback()
            assert connection.info.transaction_status.name == "IDLE"
        with psycopg.connect(dsn(listener), autocommit=True, prepare_threshold=0) as connection:
            for number in range(5):
                connection.execute("insert into t values (%s, %s)", (number, None))
            connection.cursor().executemany(
                "insert into t values (%s, %s)", [(number, "m") for number in range(10)]
            )

    await in_thread(talk)
    assert len(cluster.rows) == 16


async def test_psycopg_pipeline(listener: Listener, cluster: Cluster) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(listener), autocommit=True) as connection:
        async with connection.pipeline():
            cursors = [
                await connection.execute("insert into t values (%s, 'p') returning a", (number,))
                for number in range(20)
            ]
        assert [(await cursor.fetchone())[0] for cursor in cursors] == list(range(20))  # type: ignore[index]
        with pytest.raises(psycopg.errors.DivisionByZero):
            async with connection.pipeline():
                await connection.execute("insert into t values (100, 'p')")
                await connection.execute("select fail('22012')")
                await connection.execute("insert into t values (101, 'p')")
        assert (await (await connection.execute("select 1")).fetchone()) == (1,)
    assert [row[0] for row in cluster.rows] == list(range(20))


async def test_psycopg_copy(listener: Listener, cluster: Cluster) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(listener)) as connection:
        cursor = connection.cursor()
        async with cursor.copy("copy t (a, b) from stdin") as copy:
            for number in range(3000):
                await copy.write_row((number, f"tab\there\\{number}" if number % 2 else None))
        assert cursor.rowcount == 3000
        async with cursor.copy("copy t from stdin (format binary)") as copy:
            copy.set_types(["int4", "text"])
            await copy.write_row((-1, "binary"))
        await connection.commit()
        rows = []
        async with cursor.copy("copy t to stdout") as copy:
            copy.set_types(["int4", "text"])
            async for row in copy.rows():
                rows.append(row)
    assert rows[:2] == [(0, None), (1, "tab\there\\1")]
    assert rows[-1] == (-1, "binary")
    assert rows == cluster.rows


async def test_psycopg_cancel_and_conflict(listener: Listener, cluster: Cluster) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(listener), autocommit=True) as connection:
        task = asyncio.ensure_future(connection.execute("select sleep(60)"))
        while not any(session.busy for session in listener.sessions()):
            await asyncio.sleep(0)
        await connection.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            await task
        cluster.commit_error = SqlError("40001", "conflict (OC000)")
        with pytest.raises(psycopg.errors.SerializationFailure):
            await connection.execute("insert into t values (%s, 'x')", (1,))
        await connection.execute("insert into t values (%s, 'x')", (2,))
    assert cluster.rows == [(2, "x")]


async def test_asyncpg(listener: Listener, cluster: Cluster) -> None:
    host, _, port = listener.address.rpartition(":")
    connection = await asyncpg.connect(
        host=host, port=int(port), user="admin", database="postgres", timeout=10
    )
    assert connection.get_server_version().major == 16
    assert await connection.fetchval("select $1::int4", 5) == 5
    assert await connection.fetch("select series(3)") == [(1,), (2,), (3,)]
    async with connection.transaction(isolation="serializable"):
        await connection.execute("insert into t values ($1, $2)", 1, "x")
        async for record in connection.cursor("select stream(1200)", prefetch=100):
            assert record[0] > 0
    with pytest.raises(asyncpg.DivisionByZeroError):
        await connection.fetch("select fail('22012')")
    await connection.executemany("insert into t values ($1, $2)", [(n, "m") for n in range(10)])
    await connection.copy_records_to_table("t", records=[(50, "copied"), (51, None)])
    with pytest.raises(asyncpg.QueryCanceledError):
        await connection.execute("set statement_timeout = 20; select sleep(30)")
    with pytest.raises(asyncio.TimeoutError):
        await connection.fetch("select sleep(30)", timeout=0.05)
    cluster.commit_error = SqlError("40001", "conflict (OC000)")
    with pytest.raises(asyncpg.SerializationError):
        await connection.execute("insert into t values ($1, $2)", 99, "x")
    await connection.close()
    assert len(cluster.rows) == 13
    assert cluster.begun[-1]["serializable"] is False
    assert any(begun["serializable"] for begun in cluster.begun)


async def test_pg8000(listener: Listener) -> None:
    def talk() -> None:
        host, _, port = listener.address.rpartition(":")
        connection = pg8000.native.Connection(
            "admin", host=host, port=int(port), database="postgres"
        )
        assert connection.run("select 1, 'x'") == [[1, "x"]]
        assert connection.run("select :a::int4", a=4) == [[4]]
        connection.run("begin")
        connection.run("insert into t values (1, 'x')")
        connection.run("rollback")
        with pytest.raises(pg8000.native.DatabaseError):
            connection.run("select fail('22012')")
        connection.close()

    await in_thread(talk)


async def psql(listener: Listener, *arguments: str, more: str = "", **environment: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        "psql",
        "-X",
        "-At",
        dsn(listener, more),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    out, err = await asyncio.wait_for(process.communicate(b"5\tfive\n6\t\\N\n"), 20)
    return process.returncode, out.decode(), err.decode()


needs_psql = pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")


@needs_psql
async def test_psql(listener: Listener, cluster: Cluster) -> None:
    code, out, err = await psql(
        listener,
        "-c",
        "select 1, 'x'",
        "-c",
        "begin; insert into t values (1, 'a'); commit",
        "-c",
        "\\copy t from pstdin",
        "-c",
        "copy t to stdout",
        "-c",
        "select fail('22012')",
    )
    assert out == "1|x\nBEGIN\nINSERT 0 1\nCOMMIT\nCOPY 2\n1\ta\n5\tfive\n6\t\\N\n"
    assert err == "ERROR:  failed with 22012\n"
    assert code == 1
    assert len(cluster.rows) == 3


# ---- passwords and encryption


@pytest.fixture
async def secure(cluster: Cluster, tmp_path: Path) -> AsyncIterator[tuple[Listener, str]]:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    root = tmp_path / "root.pem"
    authority.cert_pem.write_to_path(str(root))
    listener = Listener(
        ListenerOptions(
            "127.0.0.1:0",
            authentication="scram-sha-256",
            roles=FixedRoles({"admin": ScramVerifier.make("sésame")}),
            tls=context,
            certificate_pem=certificate.cert_chain_pems[0].bytes().decode(),
        ),
        make_services_for(cluster),
    )
    await listener.start()
    yield listener, str(root)
    await listener.stop(0.1)


async def test_encrypted_with_password(secure: tuple[Listener, str]) -> None:
    listener, root = secure
    for more in (
        f"sslmode=verify-full sslrootcert={root} channel_binding=require",
        f"sslmode=verify-full sslrootcert={root} channel_binding=disable",
        "sslmode=require",
        "sslmode=disable",
    ):
        async with await psycopg.AsyncConnection.connect(
            dsn(listener, f"password=sésame {more}")
        ) as one:
            assert await (await one.execute("select stream(20000)")).fetchall()
    host, _, port = listener.address.rpartition(":")
    connection = await asyncpg.connect(
        host=host,
        port=int(port),
        user="admin",
        database="postgres",
        password="sésame",
        ssl=ssl.create_default_context(cafile=root),
    )
    assert await connection.fetchval("select 1") == 1
    await connection.close()

    def talk() -> None:
        one = pg8000.native.Connection(
            "admin", host=host, port=int(port), database="postgres", password="sésame"
        )
        assert one.run("select 1") == [[1]]
        one.close()

    await in_thread(talk)


@pytest.mark.parametrize("credentials", ["password=wrong", "user=nobody password=sésame"])
async def test_wrong_password(secure: tuple[Listener, str], credentials: str) -> None:
    listener, _ = secure
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await psycopg.AsyncConnection.connect(dsn(listener, credentials))
    assert listener.session_count == 0


@needs_psql
async def test_psql_encrypted(secure: tuple[Listener, str]) -> None:
    listener, root = secure
    code, out, err = await psql(
        listener,
        "-c",
        "select 1",
        more=f"sslmode=verify-full sslrootcert={root}",
        PGPASSWORD="sésame",
    )
    assert (code, out, err) == (0, "1\n", "")


async def test_plain_bytes_behind_an_ssl_request_are_refused(secure: tuple[Listener, str]) -> None:
    from wire_client import WireClient, startup

    listener, _ = secure
    client = await WireClient.open(listener)
    client.send(bytes.fromhex("0000000804d2162f") + startup())
    lines = await client.rest()
    assert lines == ["Error FATAL 08P01"]


async def test_garbage_instead_of_a_handshake(secure: tuple[Listener, str]) -> None:
    from wire_client import WireClient

    listener, _ = secure
    client = await WireClient.open(listener)
    client.send(bytes.fromhex("0000000804d2162f"))
    assert await client.reader.readexactly(1) == b"S"
    client.send(b"hello there, this is no TLS at all")
    await client.rest()
    async with await psycopg.AsyncConnection.connect(dsn(listener, "password=sésame")) as one:
        assert await (await one.execute("select 1")).fetchone() == (1,)


def test_verifiers() -> None:
    verifier = ScramVerifier.make("secret")
    assert ScramVerifier.parse(str(verifier)) == verifier
    assert verifier.matches("secret")
    assert not verifier.matches("Secret")
    assert mock_verifier("a").salt == mock_verifier("a").salt != mock_verifier("b").salt
    for text in ("", "md5abc", "SCRAM-SHA-256$x:y$z:w", "SCRAM-SHA-1$4096:c2FsdA==$YQ==:YQ=="):
        with pytest.raises(ValueError, match="verifier"):
            ScramVerifier.parse(text)
