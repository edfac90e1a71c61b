"""The tables of facts that the query processor's catalogs are made from, read from a real PostgreSQL 15.

    python tests/catalog/postgresql_facts.py "host=127.0.0.1 port=5432 user=postgres"

writes them into node/trilithon/query/catalog_views/facts; test_facts_against_postgresql.py compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import psycopg

FOLDER: Final = (
    Path(__file__).parents[2] / "node" / "trilithon" / "query" / "catalog_views" / "facts"
)
# Of operator families only btree's: there is no other access method here.
_BTREE: Final = 403
# Who shares the server may have made objects: FirstNormalObjectId in PostgreSQL's access/transam.h.
_FIRST_OF_USERS: Final = 16384
# "name type", "?" where NULL may occur; "[]" for arrays. Domains stand by their names.
_COLUMNS: Final = """
    select n.nspname as schema, c.relname as name, c.oid, c.relkind as kind, string_agg(
      a.attname || ' ' || case when t.typelem <> 0 and t.typcategory = 'A' and t.typname like '\\_%'
        then substr(t.typname, 2) || '[]' else t.typname end
      || case when a.attnotnull then '' else '?' end, ', ' order by a.attnum) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      join pg_type t on t.oid = a.atttypid
    where n.nspname in ('pg_catalog', 'information_schema') and c.relkind in ('r', 'v')
    group by 1, 2, 3, 4 order by 1, 2"""
QUERIES: Final = {
    "relations": _COLUMNS,
    "keywords": 'select word, catcode, barelabel from pg_get_keywords() order by word collate "C"',
    "settings": "select name, category from pg_settings where name not like '%.%' order by name collate \"C\"",
    "pg_description": f"""
    select objoid, classoid, description from pg_description
    where objsubid = 0 and classoid in (
      'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass, 'pg_am'::regclass,
      'pg_language'::regclass, 'pg_collation'::regclass)
      and objoid not in (select oid from pg_proc where pronamespace <> 11)
      and objoid < {_FIRST_OF_USERS}
    order by classoid, objoid""",
    "pg_type": """
    select oid, typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim,
      typsubscript::oid, typelem, typarray, typinput::oid, typoutput::oid, typreceive::oid,
      typsend::oid, typmodin::oid, typmodout::oid, typanalyze::oid, typalign, typstorage, typcollation
    from pg_type where typnamespace = 11 and typtype <> 'c'
      and (typelem = 0 or (select typtype from pg_type e where e.oid = pg_type.typelem) <> 'c')
    order by oid""",
    "pg_proc": """
    select oid, proname, prolang, procost, prorows, provariadic, prosupport::oid, prokind, proleakproof,
      proisstrict, proretset, provolatile, proparallel, prorettype, proargtypes, proallargtypes,
      proargmodes, proargnames, pronargdefaults, pg_get_expr(proargdefaults, 0) as proargdefaults,
      nullif(prosrc, proname) as prosrc,
      pg_get_function_sqlbody(oid) as prosqlbody
    from pg_proc where pronamespace = 11 order by oid""",
    "pg_aggregate": f"""
    select aggfnoid::oid, aggkind, aggnumdirectargs, aggtransfn::oid, aggfinalfn::oid, aggcombinefn::oid,
      aggserialfn::oid, aggdeserialfn::oid, aggmtransfn::oid, aggminvtransfn::oid, aggmfinalfn::oid,
      aggfinalextra, aggmfinalextra, aggfinalmodify, aggmfinalmodify, aggsortop, aggtranstype,
      aggtransspace, aggmtranstype, aggmtransspace, agginitval, aggminitval
    from pg_aggregate where aggfnoid::oid < {_FIRST_OF_USERS} order by aggfnoid::oid""",
    "pg_operator": """
    select oid, oprname, oprkind, oprcanmerge, oprcanhash, oprleft, oprright, oprresult, oprcom,
      oprnegate, oprcode::oid, oprrest::oid, oprjoin::oid
    from pg_operator where oprnamespace = 11 order by oid""",
    "pg_cast": f"""
    select oid, castsource, casttarget, castfunc, castcontext, castmethod
    from pg_cast where oid < {_FIRST_OF_USERS} order by castsource, casttarget""",
    "pg_opfamily": f"select oid, opfmethod, opfname from pg_opfamily where opfmethod = {_BTREE} order by oid",
    "pg_opclass": f"""
    select oid, opcmethod, opcname, opcfamily, opcintype, opcdefault, opckeytype
    from pg_opclass where opcmethod = {_BTREE} order by ctid""",
    "pg_amop": f"""
    select oid, amopfamily, amoplefttype, amoprighttype, amopstrategy, amoppurpose, amopopr, amopmethod,
      amopsortfamily
    from pg_amop where amopmethod = {_BTREE} order by oid""",
    "pg_amproc": f"""
    select p.oid, amprocfamily, amproclefttype, amprocrighttype, amprocnum, amproc::oid
    from pg_amproc p join pg_opfamily f on f.oid = amprocfamily where opfmethod = {_BTREE} order by 1""",
}


def read(conninfo: str) -> dict[str, str]:
    """By name: a line that says where it comes from, one of column names, and COPY's text."""
    tables = {}
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for name, query in QUERIES.items():
            columns = connection.execute(f"select * from ({query}) q limit 0").description or ()
            names = "\t".join(column.name for column in columns)
            with connection.cursor().copy(f"copy ({query}) to stdout") as copy:
                body = b"".join(bytes(part) for part in copy).decode()
            source = (
                "# PostgreSQL 15's own, by tests/catalog/postgresql_facts.py; descriptions: PostgreSQL Global "
                "Development Group, PostgreSQL License"
            )
            tables[name] = f"{source}\n{names}\n{body}"
    return tables


if __name__ == "__main__":
    for table, text in read(sys.argv[1]).items():
        (FOLDER / f"{table}.tsv").write_text(text, "utf-8")
