"""Whether a message makes sense at all, before anything is changed because of it.

Each check returns what is wrong in words, or "". Everything here depends on the message alone.
"""

from __future__ import annotations

from trilithon.core.csn import CSN_MAX, EPOCH_MAX, NO_CSN, SEQUENCE_BITS
from trilithon.core.ids import ID_BYTES
from trilithon.journal.log import follows
from trilithon.journal.quorum import member_list_of
from trilithon.journal.settings import (
    LEASE_TTL_US_MAX,
    MARKS_MAX,
    MEMBERS_MAX,
    NAME_BYTES_MAX,
    REQUIRED_MAX,
    JournalSettings,
)
from trilithon.v1.journal_pb2 import Append, Candidate, Promise
from trilithon.v1.types_pb2 import Entry, MemberList


def check_candidate(epoch: int, candidate: Candidate) -> str:
    if not 0 < epoch <= EPOCH_MAX:
        return f"epoch {epoch} is not between 1 and {EPOCH_MAX}"
    if len(candidate.life) != ID_BYTES:
        return f"a process life has {ID_BYTES} bytes, not {len(candidate.life)}"
    for value in (candidate.name, candidate.region, candidate.address):
        if len(value) > NAME_BYTES_MAX:
            return f"a name has at most {NAME_BYTES_MAX} characters"
    return "" if candidate.name else "a candidate has a name"


def check_lease_ttl(lease_ttl_us: int) -> str:
    if not 0 < lease_ttl_us <= LEASE_TTL_US_MAX:
        return f"lease_ttl_us {lease_ttl_us} is not between 1 and {LEASE_TTL_US_MAX}"
    return ""


def check_promise(promise: Promise) -> str:
    return check_candidate(promise.epoch, promise.candidate) or check_lease_ttl(
        promise.lease_ttl_us
    )


def check_append(append: Append, settings: JournalSettings) -> str:
    """Everything but whether it fits this journal's log."""
    return (
        check_candidate(append.epoch, append.leader)
        or check_lease_ttl(append.lease_ttl_us)
        or _check_marks(append)
        or _check_base(append)
        or check_chain(append, settings.entry_bytes_max)
    )


def _check_marks(append: Append) -> str:
    if append.settled_csn >> SEQUENCE_BITS > append.epoch:
        return "settled_csn belongs to a later epoch than the append"
    if len(append.marks) > MARKS_MAX:
        return f"more than {MARKS_MAX} marks"
    for mark in append.marks:
        if len(mark.incarnation) != ID_BYTES:
            return f"an incarnation has {ID_BYTES} bytes, not {len(mark.incarnation)}"
        if mark.synced_csn >> SEQUENCE_BITS > append.epoch:
            return "a mark belongs to a later epoch than the append"
    return ""


def _check_base(append: Append) -> str:
    if not append.HasField("base"):
        return ""
    base = append.base
    if not 0 < base.csn <= CSN_MAX or base.csn >> SEQUENCE_BITS > append.epoch:
        return "the base is not a csn of this epoch or an earlier one"
    if append.settled_csn < base.csn:
        return "a base is settled"
    if append.previous_csn != base.csn:
        return "an append with a base starts right after it"
    if base.catalog_csn > base.csn:
        return "the base's catalog_csn is above the base"
    last: int = NO_CSN
    for entry in base.member_entries:
        if member_list_of(entry) is None or not last < entry.csn <= base.csn:
            return "a base carries member lists at or below it, oldest first"
        last = entry.csn
        if problem := check_members(entry):
            return problem
    return ""


def check_chain(append: Append, entry_bytes_max: int) -> str:
    """Entries follow each other from previous_csn on, and none is of a later epoch."""
    previous = append.previous_csn
    for entry in append.entries:
        csn = entry.csn
        if entry.previous_csn != previous or not follows(previous, csn):
            return f"entry {csn} (previous {entry.previous_csn}) does not follow {previous}"
        if len(entry.required) > REQUIRED_MAX:
            return f"more than {REQUIRED_MAX} required journals"
        match entry.WhichOneof("content"):
            case "write_set":
                if len(entry.write_set) > entry_bytes_max:
                    return f"an entry is larger than {entry_bytes_max} bytes"
            case "epoch_start" | "members":
                if entry.transaction_id:
                    return "a record of the log itself has no transaction id"
                if problem := check_members(entry):
                    return problem
        previous = csn
    if previous >> SEQUENCE_BITS > append.epoch:
        return "an entry belongs to a later epoch than the append"
    return ""


def check_members(entry: Entry) -> str:
    members = member_list_of(entry)
    if members is None:
        return "" if entry.WhichOneof("content") == "epoch_start" else "an empty member list"
    return _check_list(members)


def _check_list(members: MemberList) -> str:
    if not members.members:
        return "an empty member list"
    for group in (members.members, members.next):
        if len(group) > MEMBERS_MAX:
            return f"more than {MEMBERS_MAX} members"
        incarnations = [member.incarnation for member in group]
        if any(len(incarnation) != ID_BYTES for incarnation in incarnations):
            return f"an incarnation has {ID_BYTES} bytes"
        if len(set(incarnations)) != len(incarnations):
            return "a member list names a journal twice"
    return ""
