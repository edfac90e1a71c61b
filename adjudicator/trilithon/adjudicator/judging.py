"""What requests must look like, and what is answered.

Values, not exceptions: a malformed request is a `Failure`, a conflict is a verdict.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError

from trilithon.adjudicator.settings import Settings
from trilithon.adjudicator.window import BLIND, EXCLUSIVE, KEY_SHARE, UPDATE, Conflict, Known
from trilithon.core.csn import format_csn
from trilithon.core.ids import ID_BYTES
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import types_pb2 as types

_WRITE_MODES = frozenset((EXCLUSIVE, UPDATE, BLIND))
_LOCK_MODES = frozenset((EXCLUSIVE, UPDATE, KEY_SHARE))

CONFLICT_MESSAGE = "change conflicts with another transaction (OC000)"
CATALOG_CONFLICT_MESSAGE = "schema has been updated by another transaction (OC001)"


class Malformed(Exception):
    """The request makes no sense; the text says why."""


def parse_commit(request: adjudicator.CommitRequest, settings: Settings) -> types.WriteSet:
    """The request's write set, checked. Raises Malformed."""
    check_transaction_id(request.transaction_id)
    data = request.write_set
    if len(data) > settings.write_set_bytes_max:
        raise Malformed(f"a write set of {len(data)} bytes is too large")
    if len(request.read_checks) > settings.read_checks_max:
        raise Malformed(f"{len(request.read_checks)} read checks are too many")
    try:
        write_set = types.WriteSet.FromString(data)
    except DecodeError:
        raise Malformed("the write set is no WriteSet") from None
    key_max = settings.key_bytes_max
    for write in write_set.writes:
        if write.mode not in _WRITE_MODES or not write.key:
            raise Malformed("a write needs a key and the mode EXCLUSIVE, UPDATE or BLIND")
        if len(write.key) > key_max:
            raise _key_too_long(write.key, key_max)
    for lock in write_set.locks:
        if lock.mode not in _LOCK_MODES or not lock.key:
            raise Malformed("a lock needs a key and the mode EXCLUSIVE, UPDATE or KEY_SHARE")
        if len(lock.key) > key_max:
            raise _key_too_long(lock.key, key_max)
    for check in request.read_checks:
        what = check.WhichOneof("what")
        if what is None or (what == "key" and not check.key):
            raise Malformed("a read check needs a key or a range")
        # A range may end just after the longest key.
        for key in (check.key, check.range.start, check.range.end):
            if len(key) > key_max + 1:
                raise _key_too_long(key, key_max)
    return write_set


def _key_too_long(key: bytes, key_max: int) -> Malformed:
    return Malformed(f"a key of {len(key)} bytes is too long, at most {key_max} can be kept")


def check_transaction_id(transaction_id: bytes) -> None:
    if len(transaction_id) != ID_BYTES:
        raise Malformed(f"a transaction id has {ID_BYTES} bytes, not {len(transaction_id)}")


# ---- replies (correlation id and token are the caller's)


def committed(csn: int, committed_at_us: int, epoch: int) -> adjudicator.AdjudicatorReply:
    return adjudicator.AdjudicatorReply(
        verdict=adjudicator.Verdict(
            outcome=adjudicator.Verdict.OUTCOME_COMMITTED,
            csn=csn,
            committed_at_us=committed_at_us,
            epoch=epoch,
        )
    )


def conflicting(conflict: Conflict, epoch: int) -> adjudicator.AdjudicatorReply:
    reply = _aborted(
        epoch,
        CATALOG_CONFLICT_MESSAGE if conflict.catalog else CONFLICT_MESSAGE,
        f"The other transaction committed at {format_csn(conflict.csn)}.",
    )
    reply.verdict.conflict_key = conflict.key
    reply.verdict.conflict_csn = conflict.csn
    return reply


def too_old(snapshot_csn: int, start_csn: int, epoch: int) -> adjudicator.AdjudicatorReply:
    return _aborted(
        epoch,
        CONFLICT_MESSAGE,
        f"The transaction's snapshot {format_csn(snapshot_csn)} is older than the changes that are "
        f"remembered (since {format_csn(start_csn)}).",
    )


def refused(epoch: int) -> adjudicator.AdjudicatorReply:
    return _aborted(
        epoch,
        CONFLICT_MESSAGE,
        "The transaction's status was asked for before it committed; that aborted it.",
    )


def _aborted(epoch: int, message: str, detail: str) -> adjudicator.AdjudicatorReply:
    return adjudicator.AdjudicatorReply(
        verdict=adjudicator.Verdict(
            outcome=adjudicator.Verdict.OUTCOME_ABORTED,
            error=types.SqlError(
                sqlstate="40001", severity="ERROR", message=message, detail=detail
            ),
            epoch=epoch,
        )
    )


def unknown(epoch: int) -> adjudicator.AdjudicatorReply:
    return adjudicator.AdjudicatorReply(
        verdict=adjudicator.Verdict(
            outcome=adjudicator.Verdict.OUTCOME_UNKNOWN,
            error=types.SqlError(
                sqlstate="40003",
                severity="ERROR",
                message="the transaction's outcome cannot be told",
                hint="Ask for transaction_status with the transaction's id.",
            ),
            epoch=epoch,
        )
    )


def known_outcome(
    known: Known, entry: types.Entry | None, epoch: int
) -> adjudicator.AdjudicatorReply:
    """The answer for an id whose entry is settled."""
    if known.refused:
        return refused(epoch)
    return committed(known.csn, entry.committed_at_us if entry is not None else 0, epoch)


def not_judged(epoch: int, leader: str, reason: str) -> adjudicator.AdjudicatorReply:
    return adjudicator.AdjudicatorReply(
        not_judged=adjudicator.NotJudged(epoch=epoch, leader=leader, reason=reason)
    )


def failure(code: types.Failure.Code, message: str) -> adjudicator.AdjudicatorReply:
    return adjudicator.AdjudicatorReply(failure=types.Failure(code=code, message=message))
