"""What the catalog knows: immutable definitions of schemas, tables, indexes, views, sequences, jobs.

Vocabulary
- *id*: an object's oid; from one counter, never used twice. Tables, indexes, views, sequences,
  schemas, types and roles share it. Ids below 16384 are built in.
- *number*: a column's position in the stored row, counted from 1 (PostgreSQL's attnum). Numbers are
  never used twice in a table; a dropped column keeps its number.
- *storage id*: the table id in the keys of a table's rows and index entries. TRUNCATE and rewrites
  give a table a new one; it equals the id at first.
- *clustered*: the index whose columns are the row's own key (stored under index id 0, no entries
  apart from the rows). At most one per table, always the primary key; a table without it has a
  hidden row id as its key. A primary key added to a large table is not clustered: it is a unique
  index like others.

Invariants: nothing here changes after it was made (`dataclasses.replace` makes the next version);
SQL fragments (defaults, checks, predicates, expressions, view queries) are texts that parse with
names resolved by the table alone, so no search path is needed to read them again.

Not here: how definitions are stored (`documents`), looked up (`catalog`), changed (`ddl`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Final

from trilithon.types import rows
from trilithon.types.registry import TypeRef

# The first id of user objects, as in PostgreSQL.
FIRST_USER_ID: Final = 16384
# Table ids of keys below this belong to the system.
FIRST_USER_STORAGE_ID: Final = 1000

PG_CATALOG_ID: Final = 11
PUBLIC_SCHEMA_ID: Final = 2200
INFORMATION_SCHEMA_ID: Final = 13000
SYS_SCHEMA_ID: Final = 13001
ADMIN_ROLE_ID: Final = 10


class IndexState(StrEnum):
    """building: every writer maintains it, readers must not use it; ready: usable;
    invalid: its build failed, neither maintained nor used, it waits to be dropped."""

    BUILDING = "building"
    READY = "ready"
    INVALID = "invalid"


class Identity(StrEnum):
    NONE = ""
    ALWAYS = "always"
    BY_DEFAULT = "by default"


class ReferenceAction(StrEnum):
    NO_ACTION = "no action"
    RESTRICT = "restrict"
    CASCADE = "cascade"
    SET_NULL = "set null"
    SET_DEFAULT = "set default"


class JobKind(StrEnum):
    INDEX_BUILD = "index_build"
    RECLAIM = "reclaim"
    VALIDATE = "validate"
    REWRITE = "rewrite"


class JobState(StrEnum):
    SUBMITTED = "submitted"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Role:
    id: int
    name: str
    login: bool = True
    superuser: bool = False
    # A SCRAM-SHA-256 verifier in PostgreSQL's form; empty: no password.
    password: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    id: int
    name: str
    owner: str = "admin"
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `default` and `generated` (stored) are SQL texts.

    `missing` is the value that rows have which are older than the column: a row of one column, encoded;
    None: NULL.
    """

    number: int
    name: str
    type: TypeRef
    not_null: bool = False
    default: str | None = None
    identity: Identity = Identity.NONE
    # The sequence that was made for an identity column or a serial default; 0: none.
    sequence_id: int = 0
    # The sequences that the default names.
    default_uses: tuple[int, ...] = ()
    generated: str | None = None
    dropped: bool = False
    # Writers keep it free of NULL, but older rows may have some: a job looks at them.
    becoming_not_null: bool = False
    missing: bytes | None = None
    comment: str = ""
    # The domain that its values belong to; `type` is then the domain's base. 0: none.
    domain_id: int = 0

    @property
    def missing_value(self) -> Any:
        return None if self.missing is None else _decode_missing(self.missing)


@lru_cache(maxsize=4096)
def _decode_missing(data: bytes) -> Any:
    return rows.decode_row(data)[0]


def encode_missing(value: Any) -> bytes | None:
    """The `missing` field for a value; None for NULL."""
    return None if value is None else rows.encode_row([value])


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """A column by `number`, or (number 0) an `expression` as SQL text. `type` is what is encoded."""

    number: int
    type: TypeRef
    expression: str | None = None
    descending: bool = False
    # None: the default, NULLS LAST for ascending and NULLS FIRST for descending columns.
    nulls_first: bool | None = None

    @property
    def nulls_come_first(self) -> bool:
        return self.descending if self.nulls_first is None else self.nulls_first


@dataclass(frozen=True, slots=True)
class Index:
    id: int
    name: str
    columns: tuple[IndexColumn, ...]
    unique: bool = False
    primary: bool = False
    # The rows themselves lie in this index's order (see the module's page).
    clustered: bool = False
    # Made by PRIMARY KEY or UNIQUE: dropped through the constraint, named in errors as one.
    constraint: bool = False
    # Numbers of further columns whose values the entries carry.
    include: tuple[int, ...] = ()
    # SQL text; rows for which it is not true have no entry.
    predicate: str | None = None
    state: IndexState = IndexState.READY
    nulls_not_distinct: bool = False
    comment: str = ""
    # That of the constraint that the index is for.
    constraint_comment: str = ""
    # A constraint that may be looked at as late as COMMIT (see `deferrable_keys`).
    deferrable: bool = False
    initially_deferred: bool = False

    @property
    def immediate(self) -> bool:
        """No two rows ever have the same entry: unique, and not deferrable."""
        return self.unique and not self.deferrable

    @property
    def key_id(self) -> int:
        """The index id in keys: 0 where the rows themselves are the index."""
        return 0 if self.clustered else self.id

    @property
    def usable(self) -> bool:
        return self.state is IndexState.READY

    @property
    def maintained(self) -> bool:
        return self.state is not IndexState.INVALID

    @property
    def types(self) -> tuple[TypeRef, ...]:
        return tuple(column.type for column in self.columns)

    @property
    def descending(self) -> tuple[bool, ...]:
        return tuple(column.descending for column in self.columns)

    @property
    def nulls_first(self) -> tuple[bool, ...]:
        return tuple(column.nulls_come_first for column in self.columns)

    @property
    def column_numbers(self) -> tuple[int, ...]:
        """0 stands for an expression."""
        return tuple(column.number for column in self.columns)

    @property
    def is_key(self) -> bool:
        """Its columns are *key columns*: unique at all times, neither partial nor over expressions. An update
        of a key column claims the row EXCLUSIVE."""
        return self.immediate and self.predicate is None and all(c.number for c in self.columns)


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    sql: str
    # Columns that the expression uses.
    columns: tuple[int, ...] = ()
    # Existing rows are known to pass.
    validated: bool = True
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    name: str
    columns: tuple[int, ...]
    referenced_table: int
    referenced_columns: tuple[int, ...]
    # The unique index of the referenced table that the reference uses.
    referenced_index: int
    on_delete: ReferenceAction = ReferenceAction.NO_ACTION
    on_update: ReferenceAction = ReferenceAction.NO_ACTION
    match_full: bool = False
    deferrable: bool = False
    initially_deferred: bool = False
    # Existing rows are known to pass.
    validated: bool = True
    # ON DELETE SET NULL (columns): those that are set; empty: all of them.
    set_columns: tuple[int, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The next form of a table whose rows are being made anew (see `rewriting`). `columns`, `indexes` and
    `checks` are those of the table afterwards.

    The column `number` gets the value of `sql` over the table as it is; None: the column's own default, or
    what it is generated from. The rest is how the statement's session read and wrote values.
    """

    storage_id: int
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    checks: tuple[Check, ...]
    number: int
    sql: str | None = None
    search_path: tuple[str, ...] = ("public",)
    timezone: str = "UTC"
    datestyle: str = "ISO, MDY"
    intervalstyle: str = "postgres"
    # now(), in microseconds since 2000-01-01 UTC.
    now_us: int = 0


@dataclass(frozen=True, eq=False)
class Table:
    """Compared and hashed by identity: two catalogs that share a version of a table share the object."""

    id: int
    schema_id: int
    schema: str
    name: str
    # Dropped ones included; columns[i].number == i + 1.
    columns: tuple[Column, ...]
    storage_id: int
    # All of them, the primary key (clustered or not) included.
    indexes: tuple[Index, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    # Ids of the tables whose foreign keys point here (this table itself included).
    referenced_by: tuple[int, ...] = ()
    owner: str = "admin"
    comment: str = ""
    # Counts the changes of this definition.
    version: int = 1
    # While its rows are made anew; writers keep both.
    rewrite: Rewrite | None = None

    @cached_property
    def shadow(self) -> Table | None:
        """The table that is being made of this one; nobody reads it yet."""
        made = self.rewrite
        if made is None:
            return None
        return replace(
            self,
            storage_id=made.storage_id,
            columns=made.columns,
            indexes=made.indexes,
            checks=made.checks,
            foreign_keys=(),
            referenced_by=(),
            rewrite=None,
        )

    @cached_property
    def visible_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if not column.dropped)

    @cached_property
    def _columns_by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns if not column.dropped}

    @cached_property
    def types(self) -> tuple[TypeRef, ...]:
        """Of all stored columns, dropped ones included."""
        return tuple(column.type for column in self.columns)

    @cached_property
    def missing_values(self) -> tuple[Any, ...]:
        """What pads a stored row that is shorter than the table, by position."""
        return tuple(column.missing_value for column in self.columns)

    def column(self, name: str) -> Column | None:
        return self._columns_by_name.get(name)

    @cached_property
    def primary_key(self) -> Index | None:
        """The declared primary key, clustered or not."""
        return next((index for index in self.indexes if index.primary), None)

    @cached_property
    def clustered(self) -> Index | None:
        """The index that the rows lie in; None: they lie in the order of hidden row ids."""
        return next((index for index in self.indexes if index.clustered), None)

    @cached_property
    def entry_indexes(self) -> tuple[Index, ...]:
        """Indexes with entries of their own: all but the clustered one."""
        return tuple(index for index in self.indexes if not index.clustered)

    @cached_property
    def key_columns(self) -> frozenset[int]:
        """Numbers of the columns whose update claims the row EXCLUSIVE."""
        return frozenset(
            number
            for index in self.indexes
            if index.is_key and index.maintained
            for number in index.column_numbers
        )

    def check(self, name: str) -> Check | None:
        return next((check for check in self.checks if check.name == name), None)

    def foreign_key(self, name: str) -> ForeignKey | None:
        return next((key for key in self.foreign_keys if key.name == name), None)

    def index(self, name: str) -> Index | None:
        return next((index for index in self.indexes if index.name == name), None)

    def index_by_id(self, index_id: int) -> Index | None:
        return next((index for index in self.indexes if index.id == index_id), None)

    def changed(self, **fields: Any) -> Table:
        """The next version of this definition."""
        return replace(self, version=self.version + 1, **fields)


@dataclass(frozen=True, slots=True)
class ViewColumn:
    name: str
    type: TypeRef


@dataclass(frozen=True, slots=True)
class ViewSource:
    """A relation that a view's text names: its id, and its columns' numbers with the names that the text
    uses for them. The relation's own names may be others by now."""

    schema: str
    name: str
    id: int
    columns: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    id: int
    schema_id: int
    schema: str
    name: str
    columns: tuple[ViewColumn, ...]
    # The query, names fully qualified.
    sql: str
    # Ids of the tables, views, sequences that the query uses.
    depends_on: tuple[int, ...] = ()
    # Columns used, as (table id, column number), so that dropping one is refused.
    depends_on_columns: tuple[tuple[int, int], ...] = ()
    check_option: str = ""
    owner: str = "admin"
    comment: str = ""
    version: int = 1
    # Views that were made before there were any find their relations by name.
    sources: tuple[ViewSource, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    id: int
    schema_id: int
    schema: str
    name: str
    type: TypeRef
    start: int = 1
    increment: int = 1
    minimum: int = 1
    maximum: int = (1 << 63) - 1
    cache: int = 1
    cycle: bool = False
    # The table and the column number that it goes with; 0: none.
    owned_by_table: int = 0
    owned_by_column: int = 0
    owner: str = "admin"
    comment: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    id: int
    schema_id: int
    schema: str
    name: str
    base: TypeRef
    not_null: bool = False
    default: str | None = None
    checks: tuple[Check, ...] = ()
    owner: str = "admin"
    comment: str = ""
    version: int = 1
    # The sequences that the default names.
    default_uses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Enum:
    id: int
    schema_id: int
    schema: str
    name: str
    # In the type's order; `positions` are what values carry, so they never change.
    labels: tuple[str, ...] = ()
    positions: tuple[float, ...] = ()
    owner: str = "admin"
    comment: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of a composite type. `type` is the domain's base where there is one."""

    name: str
    type: TypeRef
    domain_id: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """Stored values have these fields in this order, so who stores any keeps the type as it is."""

    id: int
    schema_id: int
    schema: str
    name: str
    attributes: tuple[Attribute, ...] = ()
    owner: str = "admin"
    comment: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class FunctionArgument:
    """`name` "": only $n means it. `default` is SQL text."""

    name: str
    type: TypeRef
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function in LANGUAGE sql. `sql` is one SELECT, `atomic` that of a standard body, whose names were
    resolved when it was made. `columns` are RETURNS TABLE's and OUT arguments."""

    id: int
    schema_id: int
    schema: str
    name: str
    arguments: tuple[FunctionArgument, ...]
    result: TypeRef
    sql: str
    returns_set: bool = False
    columns: tuple[ViewColumn, ...] = ()
    # "v" volatile, "s" stable, "i" immutable.
    volatility: str = "v"
    strict: bool = False
    atomic: bool = False
    owner: str = "admin"
    comment: str = ""
    version: int = 1

    @property
    def types(self) -> tuple[int, ...]:
        return tuple(argument.type.oid for argument in self.arguments)


UserType = Domain | Enum | Composite
CatalogObject = Table | View | Sequence | UserType | Function
Relation = Table | View | Sequence


@dataclass(frozen=True, slots=True)
class Job:
    """One background job, as `sys.jobs` shows it. Times are microseconds since 1970 UTC."""

    id: bytes
    kind: JobKind
    state: JobState
    table_id: int
    # The index for index_build; the storage id for rewrite; the index that becomes a primary key.
    object_id: int
    object_name: str
    details: str = ""
    # Why it failed.
    sqlstate: str = ""
    started_us: int = 0
    updated_us: int = 0
    rows_done: int = 0
    # Where to go on after a crash: the key after the last one that is done.
    resume_key: bytes = b""
    # Columns that become NOT NULL with the primary key that is built, or by a validation: they are
    # only on their way there, and are not any more when it fails.
    made_not_null: tuple[int, ...] = ()
    # What a validation looks at (see `validation`), and whether its statement added the constraint.
    target: str = ""
    added: bool = False


# ---- what DDL statements ask for (the executor fills these from parse trees)


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    name: str
    type: TypeRef
    not_null: bool = False
    default: str | None = None
    identity: Identity = Identity.NONE
    sequence_id: int = 0
    default_uses: tuple[int, ...] = ()
    generated: str | None = None
    # ALTER TABLE ADD COLUMN: the constant that existing rows get (the evaluated default).
    missing_value: Any = None
    domain_id: int = 0


@dataclass(frozen=True, slots=True)
class IndexColumnDefinition:
    """By column name, or an expression with its type."""

    name: str | None = None
    expression: str | None = None
    expression_type: TypeRef | None = None
    descending: bool = False
    nulls_first: bool | None = None
    # What an expression is called in the index's own name.
    label: str = "expr"


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """`name` None: chosen as PostgreSQL does (t_pkey, t_a_b_key, t_a_idx)."""

    columns: tuple[IndexColumnDefinition, ...]
    name: str | None = None
    unique: bool = False
    primary: bool = False
    constraint: bool = False
    include: tuple[str, ...] = ()
    predicate: str | None = None
    nulls_not_distinct: bool = False
    deferrable: bool = False
    initially_deferred: bool = False


@dataclass(frozen=True, slots=True)
class CheckDefinition:
    sql: str
    # Names of the columns used, for the constraint's name and for DROP COLUMN.
    columns: tuple[str, ...] = ()
    name: str | None = None
    validated: bool = True


@dataclass(frozen=True, slots=True)
class ForeignKeyDefinition:
    columns: tuple[str, ...]
    referenced_schema: str
    referenced_table: str
    # Empty: the referenced table's primary key.
    referenced_columns: tuple[str, ...] = ()
    name: str | None = None
    on_delete: ReferenceAction = ReferenceAction.NO_ACTION
    on_update: ReferenceAction = ReferenceAction.NO_ACTION
    match_full: bool = False
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    set_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableDefinition:
    schema: str
    name: str
    columns: tuple[ColumnDefinition, ...] = ()
    # PRIMARY KEY and UNIQUE constraints, in the order of the statement.
    indexes: tuple[IndexDefinition, ...] = ()
    checks: tuple[CheckDefinition, ...] = ()
    foreign_keys: tuple[ForeignKeyDefinition, ...] = ()
    owner: str = "admin"


@dataclass(frozen=True, slots=True)
class SequenceDefinition:
    """None: PostgreSQL's default for the type and the direction."""

    schema: str
    name: str
    type: TypeRef
    start: int | None = None
    increment: int = 1
    minimum: int | None = None
    maximum: int | None = None
    cache: int = 1
    cycle: bool = False
    owner: str = "admin"


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    schema: str
    name: str
    columns: tuple[ViewColumn, ...]
    sql: str
    depends_on: tuple[int, ...] = ()
    depends_on_columns: tuple[tuple[int, int], ...] = ()
    check_option: str = ""
    owner: str = "admin"
    sources: tuple[ViewSource, ...] = ()
