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
            "id|integer||not null|nextval('t_id_seq'::regclass)",
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


async def test_psql_describes_foreign_keys() -> None:
    async with serving() as (host, port):
        command = psql(host, port)
        made = await run(
            *command,
            "-c",
            "create table p (a int, b int, primary key (a, b))",
            "-c",
            "create table c (id int, a int, b int, constraint parent foreign key (a, b) references p"
            " on update cascade on delete set null (b) deferrable initially deferred)",
            "-c",
            "alter table c add constraint late foreign key (b, a) references p not valid",
        )
        assert "ERROR" not in made
        text = await run(*command, "-c", r"\d c")
        foreign = "FOREIGN KEY (a, b) REFERENCES p(a, b) ON UPDATE CASCADE ON DELETE SET NULL (b) DEFERRABLE INITIALLY DEFERRED"
        assert f'Foreign-key constraints:\n    "late" FOREIGN KEY (b, a) REFERENCES p(a, b) NOT VALID\n    "parent" {foreign}' in text, text  # fmt: skip
        text = await run(*command, "-c", r"\d p")
        assert f'Referenced by:\n    TABLE "c" CONSTRAINT "late" FOREIGN KEY (b, a) REFERENCES p(a, b) NOT VALID\n    TABLE "c" CONSTRAINT "parent" {foreign}' in text, text  # fmt: skip
        # COPY, deferral, SET CONSTRAINTS and ALTER TABLE through a real session.
        answers = await run(*command, text=SCRIPT)
        assert [line for line in answers.splitlines() if line.startswith(("ERROR", "WARN"))] == [
            'ERROR:  insert or update on table "c" violates foreign key constraint "late"',
            "WARNING:  SET CONSTRAINTS can only be used in transaction blocks",
            'ERROR:  insert or update on table "c" violates foreign key constraint "parent"',
            'ERROR:  insert or update on table "c" violates foreign key constraint "parent"',
            'ERROR:  column "id" of relation "c" contains null values',
        ]
        assert "COPY 2" in answers
        assert "(2 rows)" in answers


SCRIPT = """copy c (id, a, b) from stdin;
1	7	7
\\.
insert into p values (1, 1), (2, 2);
copy c (id, a, b) from stdin;
1	1	1
2	2	2
\\.
set constraints all deferred;
delete from p where a = 1;
alter table c validate constraint late;
alter table c drop constraint late;
begin;
insert into c values (3, 9, 9);
commit;
begin;
insert into c values (3, 9, 9);
set constraints parent immediate;
rollback;
insert into c values (null, 2, 2);
alter table c alter column id set not null;
delete from c where id is null;
alter table c alter column id set not null, add primary key (id);
select * from c;
"""


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
