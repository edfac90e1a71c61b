"""The SQL engine: statements in, rows out.

parse → analyse (names, types) → plan (rules, operators) → execute. This module holds the stages
together and the plan cache; each stage is a package of its own.

A plan belongs to a statement's template (all statements of one shape) and is found there by the
parameters' types, the search path and the settings that literals were read with. It stays valid while
every name that it looked up in the catalog means the very same object.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.core.invariant import require
from trilithon.expression.compile import compile_filter, compile_scalar, fold_constants
from trilithon.expression.context import EvalContext
from trilithon.query import explaining
from trilithon.query.analyse import table_expressions
from trilithon.query.analyse.analyser import analyse_statement
from trilithon.query.analyse.context import Analysis, NotLiftable
from trilithon.query.analyse.sql_functions import FUNCTIONS
from trilithon.query.analyse.tree import Bound, Scan
from trilithon.query.catalog.catalog import empty_catalog, undefined_relation
from trilithon.query.catalog.definitions import Index, Table
from trilithon.query.catalog_views.provider import Viewpoint, VirtualRelation
from trilithon.query.execute.conversions import Conversion
from trilithon.query.execute.copying import CopyTarget
from trilithon.query.execute.first_read import first_points
from trilithon.query.execute.foreign_keys import RowRules, finish_statement
from trilithon.query.execute.named_oids import (
    batches_with_names,
    named_positions,
    with_names,
)
from trilithon.query.execute.operators import Operator
from trilithon.query.execute.run import MEMORY_BYTES_DEFAULT, TEMP_BYTES_DEFAULT, Memory, Run
from trilithon.query.execute.subqueries import WithInitPlans, modifies
from trilithon.query.parse import Parser, Statement
from trilithon.query.parse.grammar import start_deep_thread
from trilithon.query.parse.parser import parse_plain
from trilithon.query.parse.statement import derive
from trilithon.query.plan.conditions import split
from trilithon.query.plan.conversions import build_conversion, settings_of
from trilithon.query.plan.planner import Planner
from trilithon.query.plan.row_rules import row_rules
from trilithon.query.plans import (
    Plan,
    Prepared,
    Result,
    ResultColumn,
    cache_key,
    look_up,
    magnitude,
    read_lifted,
    require_same_shape,
    resolve_names,
    result_column,
    used_objects,
    words,
)
from trilithon.query.statistics.definitions import Known, TableStatistics, Watch
from trilithon.query.transaction.transaction import FirstRead
from trilithon.types import user_types
from trilithon.types.registry import TEXT, UNKNOWN, TypeRef
from trilithon.types.settings import DEFAULT_SETTINGS

# Statements longer than this are analysed in a thread, so that nobody else waits for it.
LONG_CHARACTERS: Final = 16 * 1024
PLANS_PER_TEMPLATE_MAX: Final = 16
# Plans for unusual values, of one plan.
VARIANTS_MAX: Final = 8
NO_VALUES: Final[Mapping[int, Any]] = {}
# Compiled constraints of tables that foreign keys act on.
ROW_RULES_MAX: Final = 256
# More keys are not worth reading before the snapshot is known.
FIRST_KEYS_MAX: Final = 16
# Python frames that a deep statement needs in the later stages (the stages have caps of their own).
_FRAMES: Final = 20_000


@dataclass(slots=True)
class _TableSettings:
    """Settings for the texts of a table's definition: nobody's session."""

    search_path: tuple[str, ...] = ("public",)
    io: Any = field(default_factory=lambda: DEFAULT_SETTINGS)
    user: str = "admin"
    database: str = "postgres"


class Engine:
    """`manager` is the transaction manager (None in tests that bring their own transactions)."""

    def __init__(
        self,
        manager: Any = None,
        *,
        query_memory_bytes: int = MEMORY_BYTES_DEFAULT,
        query_temp_bytes: int = TEMP_BYTES_DEFAULT,
    ) -> None:
        self._parser = Parser()
        self._manager = manager
        self._memory_bytes = query_memory_bytes
        self._temp_bytes = query_temp_bytes
        self._catalog: Any = empty_catalog()
        self.virtual: Mapping[tuple[str, str], VirtualRelation] = _virtual_relations()
        self.plans_made = 0
        # With the domains that they were made with, which may change apart from the table.
        self._row_rules: dict[Table, tuple[Any, RowRules]] = {}
        self._conversions: dict[Table, Conversion] = {}
        if manager is not None:
            manager.expressions = self
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES))

    # ---- statistics

    @property
    def _generation(self) -> int:
        return self._manager.statistics.generation if self._manager is not None else 0

    def _statistics(self, table: Table) -> TableStatistics | None:
        found: TableStatistics | None = None
        if self._manager is not None:
            found = self._manager.statistics.of(table)
        return found

    async def gather_statistics(self, statement: Statement, settings: Any) -> None:
        """ANALYZE, of what is committed. SqlError 42P01, and as reading and committing."""
        transaction = await self._manager.begin(read_only=True)
        catalog = transaction.catalog
        transaction.rollback()
        tables: list[Table] = []
        for node in statement.body.get("rels", ()):
            named = node["VacuumRelation"]["relation"]
            schema = named.get("schemaname")
            path = (schema,) if schema else settings.search_path
            found = catalog.relation(path, named["relname"])
            if found is None:
                raise undefined_relation(path, named["relname"])
            if isinstance(found, Table):
                tables.append(found)
        for table in tables if "rels" in statement.body else catalog.tables:
            await self._manager.statistics.analyse(table)

    # ---- parse

    def parse(self, sql: str) -> list[Statement]:
        """The statements of a text. Raises SqlError 42601, 54000, 54001."""
        return self._parser.parse(sql)

    # ---- prepare

    async def prepare(
        self,
        statement: Statement,
        transaction: Any,
        parameter_oids: Sequence[int],
        settings: Any,
    ) -> Prepared:
        """The statement's plan for the transaction's catalog, from the cache where it has one.

        Raises SqlError with the position in the statement's text.
        """
        catalog = self._catalog if transaction is None else transaction.catalog
        user_types.use_catalog(catalog)
        if statement.tag == "CreateTableAsStmt":
            from trilithon.query.execute import create_table_as

            made = await create_table_as.plan_create_table_as(
                self, statement, transaction, parameter_oids, settings
            )
            return Prepared(statement, made, settings)
        key = cache_key(parameter_oids, settings)
        plan = statement.template.plans.get(key)
        if plan is not None and self._still_right(plan, catalog):
            return Prepared(statement, plan, settings)
        self._catalog = catalog
        try:
            if statement.template.unliftable:
                raise NotLiftable
            plan = await self._make(statement, catalog, parameter_oids, settings)
        except (SqlError, NotLiftable) as error:
            if not statement.constants:
                raise
            if isinstance(error, NotLiftable):
                statement.template.unliftable = True
            # Read the text as it stands: positions are then right, and literals are literals.
            plain = parse_plain(statement.source)[0]
            plan = await self._make(plain, catalog, parameter_oids, settings)
            return Prepared(plain, plan, settings)
        return Prepared(statement, plan, settings)

    async def _make(
        self, statement: Statement, catalog: Any, parameter_oids: Sequence[int], settings: Any
    ) -> Any:
        if statement.kind == "ddl":
            from trilithon.query.execute import definitions

            return definitions.plan_definition(self, statement, settings)
        if statement.kind != "query":
            raise SqlError("0A000", f"{words(statement.tag)} is not supported")
        if len(statement.source) > LONG_CHARACTERS:
            plan, cacheable = await _in_thread(
                lambda: self._plan(statement, catalog, parameter_oids, settings)
            )
        else:
            plan, cacheable = self._plan(statement, catalog, parameter_oids, settings)
        if cacheable:
            plans = statement.template.plans
            if len(plans) >= PLANS_PER_TEMPLATE_MAX:
                plans.clear()
            plans[cache_key(parameter_oids, settings)] = plan
        return plan

    def _still_right(self, plan: Plan, catalog: Any) -> bool:
        if plan.generation != self._generation:
            if any(self._statistics(table) is not known for table, known in plan.statistics):
                return False
            plan.generation = self._generation
        if plan.catalog is catalog:
            return True
        for (path, name), found in plan.lookups:
            if path and path[0] == FUNCTIONS:
                now = catalog.functions_named(path[1:], name)
                if len(now) != len(found) or any(
                    one is not other for one, other in zip(now, found, strict=True)
                ):
                    return False
            elif look_up(catalog, path, name) is not found:
                return False
        if any(catalog.object_by_id(found.id) is not found for found in plan.types):
            return False
        plan.catalog = catalog
        return True

    def _plan(
        self,
        statement: Statement,
        catalog: Any,
        parameter_oids: Sequence[int],
        settings: Any,
        values: Mapping[int, Any] = NO_VALUES,
    ) -> tuple[Plan, bool]:
        """`values` of parameters, by number: what the estimates go by; the plan is right for all others too."""
        self.plans_made += 1
        watched: dict[tuple[int, str, int], Watch] = {}
        try:
            if statement.tag == "ExplainStmt":
                return self._plan_explain(statement, catalog, parameter_oids, settings), False
            bound, analysis = analyse_statement(
                statement,
                catalog,
                settings,
                self.virtual,
                parameter_oids,
                self._known(values, watched),
            )
            root, slots, _ = self._operators(bound, analysis)
        except RecursionError:
            raise SqlError("54001", "stack depth limit exceeded") from None
        columns = None
        if bound.columns is not None:
            columns = tuple(map(result_column, bound.columns))
        readers = tuple(
            (position, type_)
            for position, (type_, oid) in enumerate(
                zip(bound.lifted_types, statement.template.lifted_types, strict=True)
            )
            if oid == UNKNOWN.oid and type_.oid != TEXT.oid
        )
        plan = Plan(
            root,
            bound.parameter_types,
            bound.lifted_types,
            columns,
            bound.verb,
            bound.read_only,
            slots,
            used_objects(bound),
            bound.lookups,
            catalog,
            readers,
            first_points(root),
            tuple((table, self._statistics(table)) for table in bound.tables),
            self._generation,
            bound.types,
            tuple(watched.values()),
        )
        return plan, analysis.cacheable

    def _known(
        self, values: Mapping[int, Any], watched: dict[tuple[int, str, int], Watch]
    ) -> Callable[[Table], Known | None]:
        def known(table: Table) -> Known | None:
            found = self._statistics(table)
            return None if found is None else Known(found, values, watched)

        return known

    async def _suited(self, plan: Plan, prepared: Prepared, values: Sequence[Any]) -> Plan:
        """The plan for values like these: the one for all values, unless what they keep of a table is far from
        what most do."""
        key = tuple([magnitude(watch, values) for watch in plan.watched])
        if not any(key):
            return plan
        found = plan.variants.get(key)
        if found is None:
            if len(plan.variants) >= VARIANTS_MAX:
                return plan
            statement, oids = prepared.statement, [ref.oid for ref in plan.parameter_types]
            known = {number: values[number - 1] for number, _, _ in plan.watched}

            def work() -> tuple[Plan, bool]:
                return self._plan(statement, plan.catalog, oids, prepared.settings, known)

            long = len(statement.source) > LONG_CHARACTERS
            found, _ = await _in_thread(work) if long else work()
            same = (found.lifted_types, found.parameter_types) == (
                plan.lifted_types,
                plan.parameter_types,
            )
            require(same, "a plan for some values has the parameters of the plan for all")
            plan.variants[key] = found
        return found

    def _operators(
        self, bound: Bound, analysis: Analysis
    ) -> tuple[Operator, int, Mapping[int, str]]:
        """The plan, the slots it needs, names of its columns."""
        planner = Planner(
            _index_texts(analysis),
            _viewpoint,
            lambda: analysis.column("?column?", UNKNOWN).id,
            len(bound.parameter_types) + len(bound.lifted_types),
        )
        root = planner.query(bound.root)
        if planner.init_plans:
            root = WithInitPlans(root.columns, root, tuple(planner.init_plans))
        return root, planner.slots, planner.names

    def _plan_explain(
        self, statement: Statement, catalog: Any, parameter_oids: Sequence[int], settings: Any
    ) -> Plan:
        options = explaining.options_of(statement)
        inner = derive(statement, statement.body["query"])
        if inner.tag == "CreateTableAsStmt" and not options.analyze:
            inner = derive(statement, inner.body["query"])
        if inner.kind != "query":
            raise SqlError("0A000", f"EXPLAIN of {words(inner.tag)} is not supported")
        began = time.perf_counter()
        bound, analysis = analyse_statement(
            inner, catalog, settings, self.virtual, parameter_oids, self._known(NO_VALUES, {})
        )
        root, slots, names = self._operators(bound, analysis)
        outputs = {column.id: column.name for column in bound.columns or ()}
        names = {**names, **outputs, **analysis.names}
        described = explaining.explained(root, options, names, time.perf_counter() - began)
        return Plan(
            described,
            bound.parameter_types,
            (),
            (ResultColumn("QUERY PLAN", options.type),),
            "EXPLAIN",
            bound.read_only or not options.analyze,
            slots,
            used_objects(bound),
            bound.lookups,
            catalog,
        )

    # ---- execute

    async def execute(
        self, prepared: Prepared, transaction: Any, parameters: Sequence[Any], context: EvalContext
    ) -> Result:
        """Run a prepared statement. Raises SqlError."""
        plan = prepared.plan
        user_types.use_catalog(transaction.catalog)
        if not isinstance(plan, Plan):
            made: Result = await plan.run(self, transaction, context)
            return made
        if plan.catalog is not transaction.catalog and not self._still_right(
            plan, transaction.catalog
        ):
            oids = [ref.oid for ref in plan.parameter_types]
            again = await self.prepare(prepared.statement, transaction, oids, prepared.settings)
            require_same_shape(plan, again.plan)
            prepared.statement, plan = again.statement, again.plan
            prepared.plan = plan
        values = list(parameters)
        if len(values) != len(plan.parameter_types):
            raise SqlError(
                "08P01",
                f"bind message supplies {len(values)} parameters, but prepared statement requires {len(plan.parameter_types)}",
            )
        if plan.named:
            path = tuple(prepared.settings.search_path)
            resolve_names(plan, values, transaction.catalog, path)
        if plan.lifted_types:
            try:
                values += read_lifted(plan, prepared.statement.constants, context)
            except SqlError:
                plain = parse_plain(prepared.statement.source)[0]
                oids = [ref.oid for ref in plan.parameter_types]
                again = await self.prepare(plain, transaction, oids, prepared.settings)
                return await self.execute(again, transaction, parameters, context)
        if plan.watched:
            plan = await self._suited(plan, prepared, values)
        if plan.slots:
            values += [None] * plan.slots
        run = Run(
            transaction,
            EvalContext(
                values,
                context.transaction_time_us,
                context.statement_time_us,
                context.settings,
                context.random,
                context.session,
                context.clock_us,
            ),
            Memory(self._memory_bytes, self._temp_bytes),
        )
        transaction.begin_statement()
        if not transaction.read_only:
            for object_id in plan.used:
                transaction.use_table(object_id)
        return await self._run(plan, run)

    def first_read(
        self,
        statement: Statement,
        parameter_oids: Sequence[int],
        parameters: Sequence[Any],
        settings: Any,
    ) -> FirstRead | None:
        """What this statement will begin with, if its plan is known and reads rows by key first.

        Of a plan that turns out to be outdated, or keys that depend on the session or the time, the
        read is not used.
        """
        plan = statement.template.plans.get(cache_key(parameter_oids, settings))
        if (
            plan is None
            or plan.first is None
            or plan.named
            or len(parameters) != len(plan.parameter_types)
        ):
            return None
        context = EvalContext([*parameters], settings=settings.io)
        try:
            if plan.lifted_types:
                context.parameters = [
                    *parameters,
                    *read_lifted(plan, statement.constants, context),
                ]
            if plan.slots:
                context.parameters = [*context.parameters, *[None] * plan.slots]
            keys = plan.first.path.points((), context)
        except (SqlError, AttributeError):
            # Running the statement says what is wrong, if anything is; without a session some
            # functions have nothing to ask.
            return None
        if not 0 < len(keys) <= FIRST_KEYS_MAX:
            return None
        return FirstRead(tuple(keys), b"", plan.catalog)

    async def _run(self, plan: Plan, run: Run) -> Result:
        result = await self._rows(plan, run)
        positions = named_positions([column.type for column in plan.columns or ()])
        if not positions:
            return result
        if isinstance(result.rows, list):
            result.rows = with_names(result.rows, positions, run.context)
        else:
            result.rows = batches_with_names(result.rows, positions, run.context)
        return result

    async def _rows(self, plan: Plan, run: Run) -> Result:
        root = plan.root
        if plan.verb == "SELECT":
            if not root.small and (plan.read_only or not modifies(root)):
                return Result(plan.columns, root.batches(run), "SELECT")
            rows = await root.collect(run)
            await finish_statement(run.transaction, run.context)
            return Result(plan.columns, rows, f"SELECT {len(rows)}")
        rows = await root.collect(run)
        await finish_statement(run.transaction, run.context)
        if plan.verb == "EXPLAIN":
            return Result(plan.columns, rows, "EXPLAIN")
        tag = f"INSERT 0 {run.affected}" if plan.verb == "INSERT" else f"{plan.verb} {run.affected}"
        return Result(plan.columns, rows, tag)

    # ---- COPY

    async def copy_in(self, statement: Statement, transaction: Any, settings: Any) -> CopyTarget:
        """COPY ... FROM: where its rows go. Raises 42P01, 42703, 428C9."""
        analysis = self.analysis_for(statement, transaction.catalog, settings)
        return CopyTarget.of(self, analysis, statement.body, transaction)

    def analysis_for(self, statement: Statement, catalog: Any, settings: Any) -> Analysis:
        return Analysis(statement, catalog, settings, self.virtual, [], parameters_fixed=True)

    def planner_for(self, analysis: Analysis) -> Planner:
        return Planner(
            _index_texts(analysis),
            _viewpoint,
            lambda: analysis.column("?column?", UNKNOWN).id,
            0,
        )

    # ---- what the catalog asks: expressions of indexes, compiled

    def index_expression(self, table: Table, sql: str) -> Callable[[Sequence[Any]], Any]:
        analysis, expression, _ = self._table_expression(table, sql)
        planner = self.planner_for(analysis[0])
        compiled = compile_scalar(planner.place(expression, analysis[1]))
        context = EvalContext()
        return lambda row: compiled(row, context)

    def index_predicate(self, table: Table, sql: str) -> Callable[[Sequence[Any]], bool]:
        analysis, expression, _ = self._table_expression(table, sql)
        planner = self.planner_for(analysis[0])
        compiled = compile_filter(planner.place(expression, analysis[1]))
        context = EvalContext()
        return lambda row: bool(compiled([row], context))

    def row_rules(self, table: Table, catalog: Any) -> RowRules:
        """What the actions of foreign keys write a table's rows with."""
        types, found = self._row_rules.get(table, (None, None))
        if found is None or types != catalog.types:
            if len(self._row_rules) >= ROW_RULES_MAX:
                self._row_rules.clear()
            analysis = self.analysis_for(parse_plain("SELECT 1")[0], catalog, _TableSettings())
            found = row_rules(analysis, self.planner_for(analysis), table)
            self._row_rules[table] = catalog.types, found
        return found

    def conversion(self, table: Table, catalog: Any) -> Conversion:
        """What makes rows of the form that the table is being rewritten to."""
        found = self._conversions.get(table)
        if found is None:
            if len(self._conversions) >= ROW_RULES_MAX:
                self._conversions.clear()
            made = table.rewrite
            require(made is not None, "only a table that is rewritten is converted")
            assert made is not None
            settings = _TableSettings(made.search_path, settings_of(made))
            analysis = self.analysis_for(parse_plain("SELECT 1")[0], catalog, settings)
            found = build_conversion(analysis, self.planner_for(analysis), table)
            self._conversions[table] = found
        return found

    def _table_expression(self, table: Table, sql: str) -> tuple[Any, Any, TypeRef]:
        statement = parse_plain("SELECT 1")[0]
        analysis = self.analysis_for(statement, self._catalog, _TableSettings())
        columns = tuple(analysis.column(column.name, column.type) for column in table.columns)
        expression = table_expressions.analyse_text(analysis, sql, table, columns)
        positions = {column.id: position for position, column in enumerate(columns)}
        return (analysis, positions), expression, expression.type


# ---- helpers


def _viewpoint(run: Run) -> Viewpoint:
    transaction = run.transaction
    statistics = transaction.manager.statistics.of
    return Viewpoint(transaction.catalog, run.context.session, statistics)


def _index_texts(analysis: Analysis) -> Any:
    """See plan.access.IndexTexts."""

    def texts(scan: Scan, index: Index) -> Any:
        table = scan.table
        expressions = tuple(
            None
            if column.expression is None
            else fold_constants(
                table_expressions.analyse_text(analysis, column.expression, table, scan.outputs)
            )
            for column in index.columns
        )
        predicate = None
        if index.predicate is not None:
            condition = table_expressions.boolean(
                analysis, index.predicate, table, scan.outputs, "WHERE"
            )
            predicate = tuple(split(fold_constants(condition)))
        return expressions, predicate

    return texts


async def _in_thread(work: Callable[[], Any]) -> Any:
    """Run in a thread with a deep stack; the event loop goes on meanwhile."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)

    def run() -> None:
        try:
            value, error = work(), None
        except BaseException as raised:
            value, error = None, raised
        loop.call_soon_threadsafe(settle, value, error)

    around = contextvars.copy_context()
    start_deep_thread(lambda: around.run(run))
    return await future


def _virtual_relations() -> Mapping[tuple[str, str], VirtualRelation]:
    from trilithon.query.catalog_views import (
        functions,
        identities,
        object_functions,
        privilege_functions,
        relations,
        system_functions,
    )

    modules = functions, identities, object_functions, privilege_functions, system_functions
    require(modules, "catalog functions register themselves")
    return relations.RELATIONS
