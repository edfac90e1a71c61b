"""psql and pgbench on the engine, over PostgreSQL's protocol."""

from __future__ import annotations

import shutil

import pytest
from engine_server import run, serving

PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"


def psql(host: str, port: str) -> list[str]:
    return ["psql", "-X", "-A", "-h", host, "-p", port, "-U", "admin", "postgres"]


async def test_psql_describes() -> None:
    async with serving() as (host, port):
        command = psql(host, port)
        await run(
            *command,
            "-c",
            "create table t (id serial primary key, a int default 5 check (a > 0), b text unique)",
            "-c",
            "create index ta on t (a desc, lower(b)) where a > 3",
            "-c",
            "create view v as select id from t",
        )
        assert "public|t|table|admin" in await run(*command, "-c", r"\dt")
        text = await run(*command, "-c", r"\d t")
        for line in (
            "id|integer||not null|nextval('public.t_id_seq'::regclass)",
            '"t_pkey" PRIMARY KEY, btree (id)',
            '"t_b_key" UNIQUE CONSTRAINT, btree (b)',
            '"ta" btree (a DESC, lower(b)) WHERE a > 3',
            '"t_a_check" CHECK (a > 0)',
        ):
            assert line in text, text
        for meta in (
            r"\d",
            r"\di",
            r"\ds",
            r"\dv",
            r"\dn",
            r"\du",
            r"\l",
            r"\df",
            r"\d v",
            r"\dt+",
            r"\d+ t",
        ):
            assert "ERROR" not in await run(*command, "-c", meta), meta


async def test_pgbench_keeps_its_books() -> None:
    if shutil.which(PGBENCH) is None:
        pytest.skip("pgbench is not installed")
    async with serving(generous=True) as (host, port):
        command = psql(host, port)
        where = ["-h", host, "-p", port, "-U", "admin"]
        # A schema of a hundredth of pgbench's, made by its own steps.
        output = await run(PGBENCH, *where, "-i", "-I", "dtvp", "postgres")
        assert "done in" in output, output
        fill = (
            "insert into pgbench_branches (bid, bbalance) values (1, 0); "
            "insert into pgbench_tellers (tid, bid, tbalance) select g, 1, 0 from generate_series(1, 10) g; "
            "insert into pgbench_accounts (aid, bid, abalance, filler) select g, 1, 0, '' from generate_series(1, 1000) g"
        )
        await run(*command, "-c", fill)
        script = (
            "\\set aid random(1, 1000)\n\\set tid random(1, 10)\n\\set delta random(-5000, 5000)\nBEGIN;\n"
            "UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;\n"
            "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n"
            "UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;\n"
            "UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = 1;\n"
            "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, 1, :aid, :delta, CURRENT_TIMESTAMP);\nEND;\n"
        )
        for mode in ("simple", "extended", "prepared"):
            output = await run(
                PGBENCH,
                *where,
                "-n",
                "-M",
                mode,
                "-f",
                "/dev/stdin",
                "-t",
                "15",
                "postgres",
                text=script,
            )
            assert "number of transactions actually processed: 15/15" in output, output
        sums = await run(
            *command,
            "-c",
            "select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history), "
            "(select sum(tbalance) from pgbench_tellers) = (select sum(bbalance) from pgbench_branches), "
            "(select count(*) from pgbench_history)",
        )
        assert "t|t|45" in sums, sums
