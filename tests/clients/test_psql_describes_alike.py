"""psql's \\d family on PostgreSQL and here: the same text, but for what is named below."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from both_systems import Systems

SHOP = (Path(__file__).parent / "shop.sql").read_text("utf-8")
COMMANDS = r"""
\d
\d child
\d+ child
\d parent
\d+ parent
\d rich
\d counter
\d+ counter
\d child_made
\d+ child_made
\d+ child_doc
\d "Odd One"."Order"
\d nosuch
\d+
\dt
\dt+
\dt *.Ord*
\dt "Odd One".*
\di
\di+
\ds
\ds+
\dv
\dv+
\dm
\df
\df+
\df plus
\dfn plus
\da nosuch
\dT
\dT+
\dD
\dD+
\dn "Odd One"
\du admin
\du+ admin
\dp
\z child
\ddp
\dx nosuch
\dc nosuch
\dC nosuch
\dO nosuch
\do nosuch
\dd
\sf plus
\sf rows_of
\sf+ plus
\des
\det
\deu
\dew
\dE
\dF nosuch
\dFd nosuch
\dFp nosuch
\dFt nosuch
\dL nosuch
\dP
\dRp
\dRs
\dX
\dy
\drds
\lo_list
\dfS jsonb_set
\dfS row_number
\dfS percentile*
\dfS rank
\dfS generate_series
\dfS date_*
\dfS regexp*
\dfS int4pl
\dfnS row_number
\df *.plus
\df public.*
\df plus int
\df plus int int
\dfa
\dfw
\doS+ ->
\do
\ddS
\dOS C
\dAc btree int4
\dAc nosuch
\dAo btree integer_ops
\dAp btree integer_ops
\dAo btree text_ops
\dAp btree text_ops
\dew+
\des+
\deu+
\det+
\dy+
\dconfig work_mem
\dconfig+ work_mem
\dconfig search*
\sf lower
\sf lower(text)
\sf pg_catalog.lpad(text,int)
\sf nosuch
\sv nosuch
\dd child
\ddS int4
\dPi
\dPt
\dp child
\drds admin
\dRp+
\dRs+
\dD+ positive
\d+ child_uq
\d parent_id_seq
\d+ parent_id_seq
\d+ "Odd One"."Order"
\dit+
\dsS
\dtvs
\dT mood
\dT+ mood
"""
# PostgreSQL has more of these: every line here is one of its lines. What is built in has another owner there.
PARTS = r"""
\dfS lower
\dfS+ lower
\dfS array_*
\dfS pg_*
\dfS jsonb_*
\dfS to_*
\dfS has_*
\dfwS
\daS
\doS
\doS+ ||
\dC
\dC+ int4
\dTS
\dTS+ text
\dOS
\dL
\dLS+
\dA+
\dAc btree
\dAo btree
\dAp btree
\db
\dS pg_class
\d+ pg_type
\dconfig *timeout*
\dF
\dFd
\dFp
\dFt
\dx
"""
ROW_COUNT = re.compile(r"^\(\d+ rows?\)$")


def answer(port: int, database: str, command: str) -> str:
    done = subprocess.run(
        ["psql", "-X", "-h", "127.0.0.1", "-p", str(port), "-U", "admin", database],
        input=command,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PGSSLMODE": "disable", "PGCONNECT_TIMEOUT": "10"},
        check=False,
    )
    return done.stdout + done.stderr


def comparable(text: str, command: str) -> str:
    """Without what cannot be alike: how many bytes things take."""
    if command.endswith("+") and command[2:3] not in ("f", "T", "D"):
        text = re.sub(r"\b\d+ (bytes|kB)\b", "", text)
    lines = [re.sub(r"\s+", " ", line.replace("-", "")).rstrip() for line in text.splitlines()]
    return "\n".join(lines)


def lines(text: str, command: str) -> list[str]:
    made = comparable(text, command).replace("| postgres |", "| admin |").splitlines()
    return [line for line in made if not ROW_COUNT.match(line)]


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql_describes_nothing_that_postgresql_has_not(systems: Systems) -> None:
    wrong = []
    for command in filter(None, PARTS.splitlines()):
        theirs, ours = (answer(port, name, command) for port, name in systems.both)
        # The headings stand where the widest column wants them.
        known = {line.strip() for line in lines(theirs, command)}
        extra = [line for line in lines(ours, command) if line.strip() not in known]
        if extra:
            wrong.append("\n".join([command, *extra]))
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql_describes_alike(systems: Systems) -> None:
    systems.run(SHOP)
    wrong = []
    for command in filter(None, COMMANDS.splitlines()):
        theirs, ours = (answer(port, name, command) for port, name in systems.both)
        if comparable(theirs, command) != comparable(ours, command):
            wrong.append(f"{command}\nPostgreSQL:\n{theirs}\nhere:\n{ours}")
    assert not wrong, "\n".join(wrong)
