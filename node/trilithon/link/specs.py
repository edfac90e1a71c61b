"""The stream of each service, and the paths of the unary methods that administration uses."""

from typing import Final

from trilithon.core.world import StreamSpec
from trilithon.v1 import adjudicator_pb2, journal_pb2, sql_pb2, storage_pb2

ADJUDICATOR: Final = StreamSpec(
    "/trilithon.v1.Adjudicator/Exchange",
    adjudicator_pb2.AdjudicatorRequests,
    adjudicator_pb2.AdjudicatorReplies,
)
JOURNAL: Final = StreamSpec(
    "/trilithon.v1.Journal/Exchange",
    journal_pb2.JournalRequests,
    journal_pb2.JournalReplies,
)
STORAGE: Final = StreamSpec(
    "/trilithon.v1.Storage/Exchange",
    storage_pb2.StorageRequests,
    storage_pb2.StorageReplies,
)
SQL: Final = StreamSpec(
    "/trilithon.v1.Sql/Exchange",
    sql_pb2.SqlRequests,
    sql_pb2.SqlReplies,
)

ADJUDICATOR_STATUS: Final = "/trilithon.v1.Adjudicator/Status"
ADJUDICATOR_REPLACE_JOURNAL: Final = "/trilithon.v1.Adjudicator/ReplaceJournal"
ADJUDICATOR_LEAD: Final = "/trilithon.v1.Adjudicator/Lead"
JOURNAL_STATUS: Final = "/trilithon.v1.Journal/Status"
STORAGE_STATUS: Final = "/trilithon.v1.Storage/Status"
STORAGE_CHECKSUM: Final = "/trilithon.v1.Storage/Checksum"
STORAGE_REBUILD: Final = "/trilithon.v1.Storage/Rebuild"
SQL_STATUS: Final = "/trilithon.v1.Sql/Status"
