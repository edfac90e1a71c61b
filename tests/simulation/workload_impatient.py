"""Clients that send one commit again and again, to any adjudicator of any Region.

No query processor does that; whoever does it, a transaction commits once at most. "Aborted" means little to
them: it is final only where the commit was handed over once. "Committed" is final, and so is what
`transaction_status` says in the end.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from history import Recorded, ask_status
from workload import Workload, row_key

from trilithon.core.errors import Overloaded, Unavailable
from trilithon.link.specs import ADJUDICATOR
from trilithon.v1.adjudicator_pb2 import AdjudicatorRequest, CommitRequest, Verdict

if TYPE_CHECKING:
    from cluster import QueryNode


class Impatient(Workload):
    """Before, during and after failovers: some resends come seconds late."""

    name = "impatient"
    table, rows = 20_006, 6
    pause_s = 0.3

    async def step(self, node: QueryNode, source: random.Random) -> None:
        key = row_key(self.table, source.randrange(self.rows))
        transaction = await self.begin(node, source, key)
        (row,) = await transaction.get([key])
        transaction.write(key, 2, (row[0] if row is not None else 0) + 1)
        request = transaction.transaction.commit_request()
        transaction.transaction.rollback()
        addresses = [
            one.address for region in self.cluster.config.regions for one in region.adjudicator
        ]
        sends = []
        for number in range(source.randint(2, 4)):
            delay_s = 0.0 if number == 0 else source.choice([0.0, 0.002, 0.05, 0.5, 2.5])
            copy = CommitRequest.FromString(request.SerializeToString())
            copy.resend = number > 0 and source.random() < 0.8
            sends.append(self._send(node, transaction, source.choice(addresses), copy, delay_s))
        self.history.unknown.append(transaction.record)
        await asyncio.gather(*sends)
        await ask_status(self.history, node, transaction.record)

    async def _send(
        self,
        node: QueryNode,
        transaction: Recorded,
        address: str,
        request: CommitRequest,
        delay_s: float,
    ) -> None:
        await asyncio.sleep(delay_s)
        link = node.running.world.network.link(ADJUDICATOR, address)
        try:
            # A link that was just made is not up yet.
            for _ in range(40):
                if link.up:
                    break
                await asyncio.sleep(0.01)
            reply = await link.request(AdjudicatorRequest(commit=request), timeout=5.0)
        except (Unavailable, Overloaded):
            return
        finally:
            await link.close()
        outcome = reply.verdict.outcome if reply.HasField("verdict") else 0
        self.history.count(f"impatient {Verdict.Outcome.Name(outcome)}")
        if outcome == Verdict.OUTCOME_COMMITTED:
            now_s = node.process.kernel.now_s
            transaction.record.answers.append((address, "committed", reply.verdict.csn, now_s))
