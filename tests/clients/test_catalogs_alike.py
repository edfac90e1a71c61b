"""information_schema and pg_catalog on PostgreSQL and here: the same rows for the same schema."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from both_systems import Systems

SHOP = (Path(__file__).parent / "shop.sql").read_text("utf-8")
# Names that hold oids.
NUMBERED = re.compile(r"\d+_\d+_(\d+_not_null)")
OURS = "in ('public', 'Odd One')"
# The catalog's name, PostgreSQL's text of a view and of a condition with its casts are left out.
QUERIES = f"""
select table_schema, table_name, table_type, is_insertable_into, is_typed from information_schema.tables where table_schema {OURS}
select table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length, character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, domain_schema, domain_name, udt_schema, udt_name, dtd_identifier, is_self_referencing, is_identity, identity_generation, identity_cycle, is_generated, generation_expression, is_updatable from information_schema.columns where table_schema {OURS} and table_name <> 'rich' and is_identity = 'NO'
select table_schema, table_name, check_option, is_updatable, is_insertable_into, is_trigger_updatable from information_schema.views where table_schema {OURS}
select constraint_schema, constraint_name, table_schema, table_name, constraint_type, is_deferrable, initially_deferred, enforced from information_schema.table_constraints where table_schema {OURS}
select constraint_schema, constraint_name, check_clause from information_schema.check_constraints where constraint_schema {OURS} and constraint_name like '%not_null'
select constraint_name, table_name, column_name, ordinal_position, position_in_unique_constraint from information_schema.key_column_usage where table_schema {OURS}
select constraint_name, table_name, column_name from information_schema.constraint_column_usage where table_schema {OURS}
select constraint_name, unique_constraint_schema, unique_constraint_name, match_option, update_rule, delete_rule from information_schema.referential_constraints where constraint_schema {OURS}
select sequence_schema, sequence_name, data_type, numeric_precision, numeric_precision_radix, numeric_scale, start_value, minimum_value, maximum_value, increment, cycle_option from information_schema.sequences where sequence_schema {OURS}
select domain_schema, domain_name, data_type, numeric_precision, numeric_scale, domain_default, udt_schema, udt_name from information_schema.domains where domain_schema {OURS}
select role_name from information_schema.enabled_roles where role_name = 'admin'
select typname, typtype, typlen, typbyval, typcategory, typispreferred, typdelim, typalign, typstorage, typnotnull, typbasetype::regtype::text, typtypmod, typdefault from pg_type where typnamespace = 'public'::regnamespace and typname in ('mood', '_mood', 'positive', 'child', 'rich')
select conname, contype, condeferrable, condeferred, convalidated, conkey, confkey, confupdtype, confdeltype, confmatchtype, conislocal from pg_constraint where connamespace = 'public'::regnamespace
select attname, attnum, attlen, attcollation, attstattarget, attndims, attbyval, attalign, attstorage, attnotnull, atthasdef, attidentity, attgenerated, attislocal from pg_attribute where attrelid = 'child'::regclass and attnum > 0
select relname, relkind, relnatts, relhasindex, relchecks, relhastriggers, relhasrules, relispopulated, relreplident, relam from pg_class where relnamespace = 'public'::regnamespace
select enumlabel, enumsortorder from pg_enum e join pg_type t on t.oid = enumtypid where typname = 'mood'
select c.classoid::regclass::text, c.objsubid, description from pg_description c where description in (select unnest(array['all the children', 'how much', 'the rich', 'by age', 'odd', 'moods', 'above zero', 'counts', 'adds', 'either', 'once', 'whose']))
select proname, pronargs, pronargdefaults, prorettype::regtype::text, proargnames, proargmodes, prokind, provolatile, proisstrict, proretset, prosrc, l.lanname from pg_proc p join pg_language l on l.oid = prolang where pronamespace = 'public'::regnamespace
select lanname, lanispl, lanpltrusted from pg_language where lanname <> 'plpgsql'
"""


def test_catalogs_are_alike(systems: Systems) -> None:
    systems.run(SHOP)
    wrong = []
    for query in filter(None, QUERIES.splitlines()):
        answers = []
        for port, database in systems.both:
            conninfo = f"host=127.0.0.1 port={port} user=admin dbname={database}"
            with psycopg.connect(conninfo, autocommit=True) as connection:
                rows = connection.execute(query).fetchall()  # type: ignore[arg-type]
            answers.append(sorted(NUMBERED.sub(r"n_\1", repr(row)) for row in rows))
        theirs, ours = answers
        assert theirs, query
        if theirs != ours:
            missing = [row for row in theirs if row not in ours]
            extra = [row for row in ours if row not in theirs]
            wrong.append("\n".join([query, "PostgreSQL:", *missing, "here:", *extra]))
    assert not wrong, "\n".join(wrong)
