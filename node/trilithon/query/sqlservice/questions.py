"""Transaction status questions: limited in rate, since each one may write to the log.

Whoever knows a transaction's whole id (128 bits, 74 of them random) may ask, in any session: after a
failover the session that began it is gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.core.ids import ID_BYTES
from trilithon.core.world import Clock
from trilithon.v1 import adjudicator_pb2, sql_pb2

QUESTIONS_PER_SECOND: Final = 100
QUESTIONS_BURST: Final = 500

Ask = Callable[[bytes, int], Awaitable[Any]]

_OUTCOMES: Final = {
    adjudicator_pb2.Verdict.OUTCOME_COMMITTED: sql_pb2.TransactionStatusAnswer.OUTCOME_COMMITTED,
    adjudicator_pb2.Verdict.OUTCOME_ABORTED: sql_pb2.TransactionStatusAnswer.OUTCOME_ABORTED,
    adjudicator_pb2.Verdict.OUTCOME_UNKNOWN: sql_pb2.TransactionStatusAnswer.OUTCOME_UNKNOWN,
}


class StatusQuestions:
    """One for all sessions of a query processor: a bucket of tokens."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._tokens = float(QUESTIONS_BURST)
        self._filled_us = clock.monotonic_us()
        self.asked = 0

    async def answer(self, question: sql_pb2.TransactionStatusQuestion) -> sql_pb2.SqlReply:
        """Raises SqlError 22023 (no id), 53400 (too many questions), 57P03 (nobody can tell now)."""
        if len(question.transaction_id) != ID_BYTES:
            raise SqlError("22023", f"a transaction id has {ID_BYTES} bytes")
        if not self._take():
            raise SqlError(
                "53400", "too many transaction status questions", hint="Ask again later."
            )
        self.asked += 1
        verdict = await self._ask(question.transaction_id, question.snapshot_csn)
        outcome = _OUTCOMES.get(verdict.outcome, sql_pb2.TransactionStatusAnswer.OUTCOME_UNKNOWN)
        answer = sql_pb2.TransactionStatusAnswer(outcome=outcome, csn=verdict.csn)
        return sql_pb2.SqlReply(transaction_status=answer)

    def _take(self) -> bool:
        now_us = self._clock.monotonic_us()
        filled = (now_us - self._filled_us) * QUESTIONS_PER_SECOND / 1_000_000
        self._tokens = min(float(QUESTIONS_BURST), self._tokens + filled)
        self._filled_us = now_us
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
