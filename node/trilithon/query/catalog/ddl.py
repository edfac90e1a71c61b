"""Everything that DDL statements call, in one place. See the modules for the rules.

All of them take the transaction first, change what it sees of the catalog at once, and raise PostgreSQL's
errors. `wait=True` is for statements outside a transaction block: COMMIT then returns when an index that
had to be built online is ready.
"""

from trilithon.query.catalog.ddl_alter import (
    add_check,
    add_column,
    check_new_column,
    drop_column,
    drop_constraint,
    drop_not_null,
    put_changed,
    rename_column,
    rename_constraint,
    rename_relation,
    require_column,
    set_column_comment,
    set_comment,
    set_default,
    set_owner,
    set_schema,
)
from trilithon.query.catalog.ddl_foreign_keys import (
    put_foreign_key,
    require_nothing_pending,
    set_deferrable,
)
from trilithon.query.catalog.ddl_indexes import (
    CreatedIndex,
    add_primary_key,
    create_index,
    drop_index,
    rename_index,
)
from trilithon.query.catalog.ddl_rewrite import (
    alter_type_in_place,
    refuse_users_of_type,
    rewrite_table,
    same_values,
)
from trilithon.query.catalog.ddl_schemas import (
    alter_role,
    create_role,
    create_schema,
    drop_role,
    drop_schema,
    rename_schema,
)
from trilithon.query.catalog.ddl_tables import (
    create_table,
    drop_tables,
    truncate,
)
from trilithon.query.catalog.ddl_validation import (
    check_references_again,
    refuse_references_online,
    require_comparable_references,
    set_not_null,
    use_index,
    validate,
)
from trilithon.query.catalog.ddl_views import create_view, drop_views
from trilithon.query.catalog.sequences import (
    alter_sequence,
    create_sequence,
    drop_sequence,
    restart_sequence,
)

__all__ = [
    "CreatedIndex",
    "add_check",
    "add_column",
    "add_primary_key",
    "alter_role",
    "alter_sequence",
    "alter_type_in_place",
    "check_new_column",
    "check_references_again",
    "create_index",
    "create_role",
    "create_schema",
    "create_sequence",
    "create_table",
    "create_view",
    "drop_column",
    "drop_constraint",
    "drop_index",
    "drop_not_null",
    "drop_role",
    "drop_schema",
    "drop_sequence",
    "drop_tables",
    "drop_views",
    "put_changed",
    "put_foreign_key",
    "refuse_references_online",
    "refuse_users_of_type",
    "rename_column",
    "rename_constraint",
    "rename_index",
    "rename_relation",
    "rename_schema",
    "require_column",
    "require_comparable_references",
    "require_nothing_pending",
    "restart_sequence",
    "rewrite_table",
    "same_values",
    "set_column_comment",
    "set_comment",
    "set_default",
    "set_deferrable",
    "set_not_null",
    "set_owner",
    "set_schema",
    "truncate",
    "use_index",
    "validate",
]
