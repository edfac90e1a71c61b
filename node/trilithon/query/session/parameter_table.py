"""The parameters themselves: PostgreSQL's own names, ranges and descriptions (pg_settings), and ours.

Descriptions: PostgreSQL Global Development Group, PostgreSQL License.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trilithon.query.session.parameters import Parameter

# name | kind | default | context | unit | minimum..maximum | choices | description
_POSTGRESQL: Final = r"""
allow_system_table_mods | bool | off | user |  |  |  | Allows modifications of the structure of system tables.
application_name | string |  | user |  |  |  | Sets the application name to be reported in statistics and logs.
array_nulls | bool | on | user |  |  |  | Enable input of NULL elements in arrays.
authentication_timeout | integer | 60 | server | s | 1..600 |  | Sets the maximum allowed time to complete client authentication.
autovacuum | bool | on | server |  |  |  | Starts the autovacuum subprocess.
backend_flush_after | integer | 0 | user | 8kB | 0..256 |  | Number of pages after which previously performed writes are flushed to disk.
backslash_quote | enum | safe_encoding | user |  |  | safe_encoding,on,off | Sets whether "\'" is allowed in string literals.
backtrace_functions | string |  | user |  |  |  | Log backtrace for errors in these functions.
block_size | integer | 8192 | fixed |  | 8192..8192 |  | Shows the size of a disk block.
bytea_output | enum | hex | user |  |  | escape,hex | Sets the output format for bytea.
check_function_bodies | bool | on | user |  |  |  | Check routine bodies during CREATE FUNCTION and CREATE PROCEDURE.
client_connection_check_interval | integer | 0 | user | ms | 0..2147483647 |  | Sets the time interval between checks for disconnection while running queries.
client_encoding | string | UTF8 | user |  |  |  | Sets the client's character set encoding.
client_min_messages | enum | notice | user |  |  | debug5,debug4,debug3,debug2,debug1,log,notice,warning,error | Sets the message levels that are sent to the client.
cluster_name | string |  | server |  |  |  | Sets the name of the cluster, which is included in the process title.
commit_delay | integer | 0 | user |  | 0..100000 |  | Sets the delay in microseconds between transaction commit and flushing WAL to disk.
commit_siblings | integer | 5 | user |  | 0..1000 |  | Sets the minimum number of concurrent open transactions required before performing commit_delay.
compute_query_id | enum | auto | user |  |  | auto,regress,on,off | Enables in-core computation of query identifiers.
constraint_exclusion | enum | partition | user |  |  | partition,on,off | Enables the planner to use constraints to optimize queries.
cpu_index_tuple_cost | real | 0.005 | user |  | 0..1.79769e+308 |  | Sets the planner's estimate of the cost of processing each index entry during an index scan.
cpu_operator_cost | real | 0.0025 | user |  | 0..1.79769e+308 |  | Sets the planner's estimate of the cost of processing each operator or function call.
cpu_tuple_cost | real | 0.01 | user |  | 0..1.79769e+308 |  | Sets the planner's estimate of the cost of processing each tuple (row).
cursor_tuple_fraction | real | 0.1 | user |  | 0..1 |  | Sets the planner's estimate of the fraction of a cursor's rows that will be retrieved.
data_checksums | bool | on | fixed |  |  |  | Shows whether data checksums are turned on for this cluster.
data_directory_mode | integer | 0700 | fixed |  | 0..511 |  | Shows the mode of the data directory.
DateStyle | string | ISO, MDY | user |  |  |  | Sets the display format for date and time values.
deadlock_timeout | integer | 1000 | user | ms | 1..2147483647 |  | Sets the time to wait on a lock before checking for deadlock.
debug_assertions | bool | off | fixed |  |  |  | Shows whether the running server has assertion checks enabled.
debug_pretty_print | bool | on | user |  |  |  | Indents parse and plan tree displays.
debug_print_parse | bool | off | user |  |  |  | Logs each query's parse tree.
debug_print_plan | bool | off | user |  |  |  | Logs each query's execution plan.
debug_print_rewritten | bool | off | user |  |  |  | Logs each query's rewritten parse tree.
default_statistics_target | integer | 100 | user |  | 1..10000 |  | Sets the default statistics target.
default_table_access_method | string | heap | user |  |  |  | Sets the default table access method for new tables.
default_tablespace | string |  | user |  |  |  | Sets the default tablespace to create tables and indexes in.
default_text_search_config | string | pg_catalog.english | user |  |  |  | Sets default text search configuration.
default_toast_compression | enum | pglz | user |  |  | pglz,lz4 | Sets the default compression method for compressible values.
default_transaction_deferrable | bool | off | user |  |  |  | Sets the default deferrable status of new transactions.
default_transaction_isolation | enum | repeatable read | user |  |  | serializable,repeatable read,read committed,read uncommitted | Sets the transaction isolation level of each new transaction.
default_transaction_read_only | bool | off | user |  |  |  | Sets the default read-only status of new transactions.
dynamic_library_path | string | $libdir | user |  |  |  | Sets the path for dynamically loadable modules.
effective_cache_size | integer | 524288 | user | 8kB | 1..2147483647 |  | Sets the planner's assumption about the total size of the data caches.
effective_io_concurrency | integer | 1 | user |  | 0..1000 |  | Number of simultaneous requests that can be handled efficiently by the disk subsystem.
enable_async_append | bool | on | user |  |  |  | Enables the planner's use of async append plans.
enable_bitmapscan | bool | on | user |  |  |  | Enables the planner's use of bitmap-scan plans.
enable_gathermerge | bool | on | user |  |  |  | Enables the planner's use of gather merge plans.
enable_hashagg | bool | on | user |  |  |  | Enables the planner's use of hashed aggregation plans.
enable_hashjoin | bool | on | user |  |  |  | Enables the planner's use of hash join plans.
enable_incremental_sort | bool | on | user |  |  |  | Enables the planner's use of incremental sort steps.
enable_indexonlyscan | bool | on | user |  |  |  | Enables the planner's use of index-only-scan plans.
enable_indexscan | bool | on | user |  |  |  | Enables the planner's use of index-scan plans.
enable_material | bool | on | user |  |  |  | Enables the planner's use of materialization.
enable_memoize | bool | on | user |  |  |  | Enables the planner's use of memoization.
enable_mergejoin | bool | on | user |  |  |  | Enables the planner's use of merge join plans.
enable_nestloop | bool | on | user |  |  |  | Enables the planner's use of nested-loop join plans.
enable_parallel_append | bool | on | user |  |  |  | Enables the planner's use of parallel append plans.
enable_parallel_hash | bool | on | user |  |  |  | Enables the planner's use of parallel hash plans.
enable_partition_pruning | bool | on | user |  |  |  | Enables plan-time and execution-time partition pruning.
enable_partitionwise_aggregate | bool | off | user |  |  |  | Enables partitionwise aggregation and grouping.
enable_partitionwise_join | bool | off | user |  |  |  | Enables partitionwise join.
enable_seqscan | bool | on | user |  |  |  | Enables the planner's use of sequential-scan plans.
enable_sort | bool | on | user |  |  |  | Enables the planner's use of explicit sort steps.
enable_tidscan | bool | on | user |  |  |  | Enables the planner's use of TID scan plans.
escape_string_warning | bool | on | user |  |  |  | Warn about backslash escapes in ordinary string literals.
event_source | string | PostgreSQL | server |  |  |  | Sets the application name used to identify PostgreSQL messages in the event log.
exit_on_error | bool | off | user |  |  |  | Terminate session on any error.
extension_destdir | string |  | user |  |  |  | Path to prepend for extension loading.
extra_float_digits | integer | 1 | user |  | -15..3 |  | Sets the number of digits displayed for floating-point values.
force_parallel_mode | enum | off | user |  |  | off,on,regress | Forces use of parallel query facilities.
from_collapse_limit | integer | 8 | user |  | 1..2147483647 |  | Sets the FROM-list size beyond which subqueries are not collapsed.
fsync | bool | on | server |  |  |  | Forces synchronization of updates to disk.
full_page_writes | bool | on | server |  |  |  | Writes full pages to WAL when first modified after a checkpoint.
geqo | bool | on | user |  |  |  | Enables genetic query optimization.
geqo_effort | integer | 5 | user |  | 1..10 |  | GEQO: effort is used to set the default for other GEQO parameters.
geqo_generations | integer | 0 | user |  | 0..2147483647 |  | GEQO: number of iterations of the algorithm.
geqo_pool_size | integer | 0 | user |  | 0..2147483647 |  | GEQO: number of individuals in the population.
geqo_seed | real | 0 | user |  | 0..1 |  | GEQO: seed for random path selection.
geqo_selection_bias | real | 2 | user |  | 1.5..2 |  | GEQO: selective pressure within the population.
geqo_threshold | integer | 12 | user |  | 2..2147483647 |  | Sets the threshold of FROM items beyond which GEQO is used.
gin_fuzzy_search_limit | integer | 0 | user |  | 0..2147483647 |  | Sets the maximum allowed result for exact search by GIN.
gin_pending_list_limit | integer | 4096 | user | kB | 64..2147483647 |  | Sets the maximum size of the pending list for GIN index.
hash_mem_multiplier | real | 2 | user |  | 1..1000 |  | Multiple of work_mem to use for hash tables.
hot_standby | bool | on | server |  |  |  | Allows connections and queries during recovery.
huge_pages | enum | try | server |  |  | off,on,try | Use of huge pages on Linux or Windows.
idle_in_transaction_session_timeout | integer | 0 | user | ms | 0..2147483647 |  | Sets the maximum allowed idle time between queries, when in a transaction.
idle_session_timeout | integer | 0 | user | ms | 0..2147483647 |  | Sets the maximum allowed idle time between queries, when not in a transaction.
ignore_checksum_failure | bool | off | user |  |  |  | Continues processing after a checksum failure.
in_hot_standby | bool | off | fixed |  |  |  | Shows whether hot standby is currently active.
integer_datetimes | bool | on | fixed |  |  |  | Shows whether datetimes are integer based.
IntervalStyle | enum | postgres | user |  |  | postgres,postgres_verbose,sql_standard,iso_8601 | Sets the display format for interval values.
jit | bool | off | user |  |  |  | Allow JIT compilation.
jit_above_cost | real | 100000 | user |  | -1..1.79769e+308 |  | Perform JIT compilation if query is more expensive.
jit_debugging_support | bool | off | start |  |  |  | Register JIT-compiled functions with debugger.
jit_dump_bitcode | bool | off | user |  |  |  | Write out LLVM bitcode to facilitate JIT debugging.
jit_expressions | bool | on | user |  |  |  | Allow JIT compilation of expressions.
jit_inline_above_cost | real | 500000 | user |  | -1..1.79769e+308 |  | Perform JIT inlining if query is more expensive.
jit_optimize_above_cost | real | 500000 | user |  | -1..1.79769e+308 |  | Optimize JIT-compiled functions if query is more expensive.
jit_profiling_support | bool | off | start |  |  |  | Register JIT-compiled functions with perf profiler.
jit_provider | string | llvmjit | server |  |  |  | JIT provider to use.
jit_tuple_deforming | bool | on | user |  |  |  | Allow JIT compilation of tuple deforming.
join_collapse_limit | integer | 8 | user |  | 1..2147483647 |  | Sets the FROM-list size beyond which JOIN constructs are not flattened.
lc_collate | string | C | fixed |  |  |  | Shows the collation order locale.
lc_ctype | string | C | fixed |  |  |  | Shows the character classification and case conversion locale.
lc_messages | string | C | user |  |  |  | Sets the language in which messages are displayed.
lc_monetary | string | C | user |  |  |  | Sets the locale for formatting monetary amounts.
lc_numeric | string | C | user |  |  |  | Sets the locale for formatting numbers.
lc_time | string | C | user |  |  |  | Sets the locale for formatting date and time values.
listen_addresses | string | * | server |  |  |  | Sets the host name or IP address(es) to listen to.
lo_compat_privileges | bool | off | user |  |  |  | Enables backward compatibility mode for privilege checks on large objects.
local_preload_libraries | string |  | user |  |  |  | Lists unprivileged shared libraries to preload into each backend.
lock_timeout | integer | 0 | user | ms | 0..2147483647 |  | Sets the maximum allowed duration of any wait for a lock.
log_connections | bool | off | start |  |  |  | Logs each successful connection.
log_disconnections | bool | off | start |  |  |  | Logs end of a session, including duration.
log_duration | bool | off | user |  |  |  | Logs the duration of each completed SQL statement.
log_error_verbosity | enum | default | user |  |  | terse,default,verbose | Sets the verbosity of logged messages.
log_executor_stats | bool | off | user |  |  |  | Writes executor performance statistics to the server log.
log_lock_waits | bool | off | user |  |  |  | Logs long lock waits.
log_min_duration_sample | integer | -1 | user | ms | -1..2147483647 |  | Sets the minimum execution time above which a sample of statements will be logged. Sampling is determined by log_statement_sample_rate.
log_min_duration_statement | integer | -1 | user | ms | -1..2147483647 |  | Sets the minimum execution time above which all statements will be logged.
log_min_error_statement | enum | error | user |  |  | debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic | Causes all statements generating error at or above this level to be logged.
log_min_messages | enum | warning | user |  |  | debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic | Sets the message levels that are logged.
log_parameter_max_length | integer | -1 | user | B | -1..1073741823 |  | Sets the maximum length in bytes of data logged for bind parameter values when logging statements.
log_parameter_max_length_on_error | integer | 0 | user | B | -1..1073741823 |  | Sets the maximum length in bytes of data logged for bind parameter values when logging statements, on error.
log_parser_stats | bool | off | user |  |  |  | Writes parser performance statistics to the server log.
log_planner_stats | bool | off | user |  |  |  | Writes planner performance statistics to the server log.
log_replication_commands | bool | off | user |  |  |  | Logs each replication command.
log_statement | enum | none | user |  |  | none,ddl,mod,all | Sets the type of statements logged.
log_statement_sample_rate | real | 1 | user |  | 0..1 |  | Fraction of statements exceeding log_min_duration_sample to be logged.
log_statement_stats | bool | off | user |  |  |  | Writes cumulative performance statistics to the server log.
log_temp_files | integer | -1 | user | kB | -1..2147483647 |  | Log the use of temporary files larger than this number of kilobytes.
log_timezone | string | UTC | server |  |  |  | Sets the time zone to use in log messages.
log_transaction_sample_rate | real | 0 | user |  | 0..1 |  | Sets the fraction of transactions from which to log all statements.
logging_collector | bool | off | server |  |  |  | Start a subprocess to capture stderr, csvlog and/or jsonlog into log files.
logical_decoding_work_mem | integer | 65536 | user | kB | 64..2147483647 |  | Sets the maximum memory to be used for logical decoding.
maintenance_io_concurrency | integer | 10 | user |  | 0..1000 |  | A variant of effective_io_concurrency that is used for maintenance work.
maintenance_work_mem | integer | 65536 | user | kB | 1024..2147483647 |  | Sets the maximum memory to be used for maintenance operations.
max_connections | integer | 10000 | server |  | 1..262143 |  | Sets the maximum number of concurrent connections.
max_function_args | integer | 100 | fixed |  | 100..100 |  | Shows the maximum number of function arguments.
max_identifier_length | integer | 63 | fixed |  | 63..63 |  | Shows the maximum identifier length.
max_index_keys | integer | 8 | fixed |  | 32..32 |  | Shows the maximum number of index keys.
max_parallel_maintenance_workers | integer | 2 | user |  | 0..1024 |  | Sets the maximum number of parallel processes per maintenance operation.
max_parallel_workers | integer | 8 | user |  | 0..1024 |  | Sets the maximum number of parallel workers that can be active at one time.
max_parallel_workers_per_gather | integer | 2 | user |  | 0..1024 |  | Sets the maximum number of parallel processes per executor node.
max_prepared_transactions | integer | 0 | server |  | 0..262143 |  | Sets the maximum number of simultaneously prepared transactions.
max_replication_slots | integer | 10 | server |  | 0..262143 |  | Sets the maximum number of simultaneously defined replication slots.
max_stack_depth | integer | 100 | user | kB | 100..2147483647 |  | Sets the maximum stack depth, in kilobytes.
max_wal_senders | integer | 10 | server |  | 0..262143 |  | Sets the maximum number of simultaneously running WAL sender processes.
max_worker_processes | integer | 8 | server |  | 0..262143 |  | Maximum number of concurrent worker processes.
min_parallel_index_scan_size | integer | 64 | user | 8kB | 0..715827882 |  | Sets the minimum amount of index data for a parallel scan.
min_parallel_table_scan_size | integer | 1024 | user | 8kB | 0..715827882 |  | Sets the minimum amount of table data for a parallel scan.
parallel_leader_participation | bool | on | user |  |  |  | Controls whether Gather and Gather Merge also run subplans.
parallel_setup_cost | real | 1000 | user |  | 0..1.79769e+308 |  | Sets the planner's estimate of the cost of starting up worker processes for parallel query.
parallel_tuple_cost | real | 0.1 | user |  | 0..1.79769e+308 |  | Sets the planner's estimate of the cost of passing each tuple (row) from worker to leader backend.
password_encryption | enum | scram-sha-256 | user |  |  | md5,scram-sha-256 | Chooses the algorithm for encrypting passwords.
plan_cache_mode | enum | auto | user |  |  | auto,force_generic_plan,force_custom_plan | Controls the planner's selection of custom or generic plan.
port | integer | 5432 | server |  | 1..65535 |  | Sets the TCP port the server listens on.
quote_all_identifiers | bool | off | user |  |  |  | When generating SQL fragments, quote all identifiers.
random_page_cost | real | 4 | user |  | 0..1.79769e+308 |  | Sets the planner's estimate of the cost of a nonsequentially fetched disk page.
recursive_worktable_factor | real | 10 | user |  | 0.001..1000000.0 |  | Sets the planner's estimate of the average size of a recursive query's working table.
restrict_nonsystem_relation_kind | string |  | user |  |  |  | Prohibits access to non-system relations of specified kinds.
row_security | bool | on | user |  |  |  | Enable row security.
search_path | string | "$user", public | user |  |  |  | Sets the schema search order for names that are not schema-qualified.
segment_size | integer | 131072 | fixed | 8kB | 131072..131072 |  | Shows the number of pages per disk file.
seq_page_cost | real | 1 | user |  | 0..1.79769e+308 |  | Sets the planner's estimate of the cost of a sequentially fetched disk page.
server_encoding | string | UTF8 | fixed |  |  |  | Shows the server (database) character set encoding.
server_version | string | 16.13 (Trilithon 0.1.0) | fixed |  |  |  | Shows the server version.
server_version_num | integer | 160013 | fixed |  | 160013..160013 |  | Shows the server version as an integer.
session_preload_libraries | string |  | user |  |  |  | Lists shared libraries to preload into each backend.
session_replication_role | enum | origin | user |  |  | origin,replica,local | Sets the session's behavior for triggers and rewrite rules.
shared_buffers | integer | 16384 | server | 8kB | 16..1073741823 |  | Sets the number of shared memory buffers used by the server.
ssl | bool | off | server |  |  |  | Enables SSL connections.
ssl_library | string | OpenSSL | fixed |  |  |  | Shows the name of the SSL library.
standard_conforming_strings | bool | on | user |  |  |  | Causes '...' strings to treat backslashes literally.
statement_timeout | integer | 0 | user | ms | 0..2147483647 |  | Sets the maximum allowed duration of any statement.
stats_fetch_consistency | enum | cache | user |  |  | none,cache,snapshot | Sets the consistency of accesses to statistics data.
superuser_reserved_connections | integer | 3 | server |  | 0..262143 |  | Sets the number of connection slots reserved for superusers.
synchronize_seqscans | bool | on | user |  |  |  | Enable synchronized sequential scans.
synchronous_commit | enum | on | user |  |  | local,remote_write,remote_apply,on,off | Sets the current transaction's synchronization level.
tcp_keepalives_count | integer | 0 | user |  | 0..2147483647 |  | Maximum number of TCP keepalive retransmits.
tcp_keepalives_idle | integer | 0 | user | s | 0..2147483647 |  | Time between issuing TCP keepalives.
tcp_keepalives_interval | integer | 0 | user | s | 0..2147483647 |  | Time between TCP keepalive retransmits.
tcp_user_timeout | integer | 0 | user | ms | 0..2147483647 |  | TCP user timeout.
temp_buffers | integer | 1024 | user | 8kB | 100..1073741823 |  | Sets the maximum number of temporary buffers used by each session.
temp_file_limit | integer | -1 | user | kB | -1..2147483647 |  | Limits the total size of all temporary files used by each process.
temp_tablespaces | string |  | user |  |  |  | Sets the tablespace(s) to use for temporary tables and sort files.
TimeZone | string | UTC | user |  |  |  | Sets the time zone for displaying and interpreting time stamps.
timezone_abbreviations | string |  | user |  |  |  | Selects a file of time zone abbreviations.
track_activities | bool | on | user |  |  |  | Collects information about executing commands.
track_counts | bool | on | user |  |  |  | Collects statistics on database activity.
track_functions | enum | none | user |  |  | none,pl,all | Collects function-level statistics on database activity.
track_io_timing | bool | off | user |  |  |  | Collects timing statistics for database I/O activity.
track_wal_io_timing | bool | off | user |  |  |  | Collects timing statistics for WAL I/O activity.
transaction_deferrable | bool | off | user |  |  |  | Whether to defer a read-only serializable transaction until it can be executed with no possible serialization failures.
transaction_isolation | enum | repeatable read | user |  |  | serializable,repeatable read,read committed,read uncommitted | Sets the current transaction's isolation level.
transaction_read_only | bool | off | user |  |  |  | Sets the current transaction's read-only status.
transform_null_equals | bool | off | user |  |  |  | Treats "expr=NULL" as "expr IS NULL".
update_process_title | bool | on | user |  |  |  | Updates the process title to show the active SQL command.
vacuum_cost_delay | real | 0 | user | ms | 0..100 |  | Vacuum cost delay in milliseconds.
vacuum_cost_limit | integer | 200 | user |  | 1..10000 |  | Vacuum cost amount available before napping.
vacuum_cost_page_dirty | integer | 20 | user |  | 0..10000 |  | Vacuum cost for a page dirtied by vacuum.
vacuum_cost_page_hit | integer | 1 | user |  | 0..10000 |  | Vacuum cost for a page found in the buffer cache.
vacuum_cost_page_miss | integer | 2 | user |  | 0..10000 |  | Vacuum cost for a page not found in the buffer cache.
vacuum_failsafe_age | integer | 1600000000 | user |  | 0..2100000000 |  | Age at which VACUUM should trigger failsafe to avoid a wraparound outage.
vacuum_freeze_min_age | integer | 50000000 | user |  | 0..1000000000 |  | Minimum age at which VACUUM should freeze a table row.
vacuum_freeze_table_age | integer | 150000000 | user |  | 0..2000000000 |  | Age at which VACUUM should scan whole table to freeze tuples.
vacuum_multixact_failsafe_age | integer | 1600000000 | user |  | 0..2100000000 |  | Multixact age at which VACUUM should trigger failsafe to avoid a wraparound outage.
vacuum_multixact_freeze_min_age | integer | 5000000 | user |  | 0..1000000000 |  | Minimum age at which VACUUM should freeze a MultiXactId in a table row.
vacuum_multixact_freeze_table_age | integer | 150000000 | user |  | 0..2000000000 |  | Multixact age at which VACUUM should scan whole table to freeze tuples.
wal_block_size | integer | 8192 | fixed |  | 8192..8192 |  | Shows the block size in the write ahead log.
wal_compression | enum | off | user |  |  | pglz,lz4,zstd,on,off | Compresses full-page writes written in WAL file with specified method.
wal_consistency_checking | string |  | user |  |  |  | Sets the WAL resource managers for which WAL consistency checks are done.
wal_init_zero | bool | on | user |  |  |  | Writes zeroes to new WAL files before first use.
wal_level | enum | replica | server |  |  | minimal,replica,logical | Sets the level of information written to the WAL.
wal_recycle | bool | on | user |  |  |  | Recycles WAL files by renaming them.
wal_segment_size | integer | 16777216 | fixed | B | 1048576..1073741824 |  | Shows the size of write ahead log segments.
wal_sender_timeout | integer | 60000 | user | ms | 0..2147483647 |  | Sets the maximum time to wait for WAL replication.
wal_skip_threshold | integer | 2048 | user | kB | 0..2147483647 |  | Minimum size of new file to fsync instead of writing WAL.
work_mem | integer | 4096 | user | kB | 64..2147483647 |  | Sets the maximum memory to be used for query workspaces.
xmlbinary | enum | base64 | user |  |  | base64,hex | Sets how binary values are to be encoded in XML.
xmloption | enum | content | user |  |  | content,document | Sets whether XML data in implicit parsing and serialization operations is to be considered as documents or content fragments.
zero_damaged_pages | bool | off | user |  |  |  | Continues processing past damaged page headers.
is_superuser | bool | on | fixed |  |  |  | Shows whether the current user is a superuser.
session_authorization | string |  | user |  |  |  | Sets the session user name.
role | string | none | user |  |  |  | Sets the current role.
"""

_OWN: Final = r"""
trilithon.read_as_of | string |  | user |  |  |  | Sets the csn or the time that transactions read at, read-only; empty means the present.
trilithon.read_staleness | integer | 0 | user | ms | 0..2147483647 |  | Sets how stale reads may be in a Region that has no read lease; 0 means not at all.
"""

# Where PostgreSQL's other values would change results that Trilithon does not change.
_HONOURED: Final[Mapping[str, tuple[str, ...]]] = {
    "standard_conforming_strings": ("on",),
    "array_nulls": ("on",),
    "transform_null_equals": ("off",),
    "session_replication_role": ("origin",),
    "default_table_access_method": ("heap",),
    "default_tablespace": ("",),
    "temp_tablespaces": ("",),
    "lc_monetary": ("c", "posix"),
    "lc_numeric": ("c", "posix"),
    "lc_time": ("c", "posix"),
    "zero_damaged_pages": ("off",),
    "quote_all_identifiers": ("off",),
    "default_text_search_config": ("pg_catalog.english", "pg_catalog.simple"),
}

_REPORTED: Final = frozenset(
    {
        "application_name",
        "client_encoding",
        "DateStyle",
        "default_transaction_read_only",
        "in_hot_standby",
        "integer_datetimes",
        "IntervalStyle",
        "is_superuser",
        "server_encoding",
        "server_version",
        "session_authorization",
        "standard_conforming_strings",
        "TimeZone",
    }
)

_HIDDEN: Final = frozenset({"is_superuser", "session_authorization", "role"})


def _parse(line: str) -> Parameter:
    name, kind, default, context, unit, limits, choices, description = line.split(" | ")
    low, _, high = limits.partition("..")
    return Parameter(
        name=name,
        kind=kind,
        default=default,
        context=context,
        unit=unit,
        minimum=float(low or 0),
        maximum=float(high or 0),
        choices=tuple(choices.split(",")) if choices else (),
        description=description,
        honoured=_HONOURED.get(name, ()),
        report=name in _REPORTED,
        hidden=name in _HIDDEN,
    )


# By lower-cased name.
PARAMETERS: Final[Mapping[str, Parameter]] = {
    parameter.name.lower(): parameter
    for parameter in map(_parse, (_POSTGRESQL + _OWN.lstrip("\n")).strip("\n").split("\n"))
}
REPORTED: Final = tuple(parameter for parameter in PARAMETERS.values() if parameter.report)
