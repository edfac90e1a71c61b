"""Random concurrent transactions, replayed in the order of their csns."""

import asyncio
import random
from typing import Any

import pytest
from fake_cluster import FakeCluster

from trilithon.core.errors import SqlError
from trilithon.query.transaction.transaction import Transaction
from trilithon.types.keys import key_prefix
from trilithon.types.rows import encode_row
from trilithon.v1.types_pb2 import MODE_EXCLUSIVE, MODE_UPDATE

PREFIX = key_prefix(20000, 0)
KEYS = [PREFIX + bytes([0x19, number]) for number in range(1, 9)]

# (start, end, reverse, limit) → what a scan gave; or (key,) → what a point read gave.
Observation = tuple[tuple[Any, ...], Any]


async def observe(transaction: Transaction, source: random.Random) -> Observation:
    if source.random() < 0.5:
        key = source.choice(KEYS)
        return (key,), (await transaction.get([key]))[0]
    start, end = sorted(source.sample(KEYS, 2))
    reverse, limit = source.random() < 0.5, source.choice([0, 0, 1, 2])
    found: list[Any] = []
    async for chunk in transaction.scan(start, end, reverse=reverse, limit=limit, with_keys=True):
        found += zip(chunk.keys, chunk.rows, strict=True)
    return (start, end, reverse, limit), found


def replay(state: dict[bytes, Any], what: tuple[Any, ...]) -> Any:
    if len(what) == 1:
        return state.get(what[0])
    start, end, reverse, limit = what
    keys = sorted((key for key in state if start <= key < end), reverse=reverse)
    return [(key, state[key]) for key in (keys[:limit] if limit else keys)]


async def one_transaction(
    cluster: FakeCluster, source: random.Random, number: int, serializable: bool
) -> tuple[int, int, list[Any]] | None:
    """(snapshot, csn, steps); None: it lost."""
    transaction = await cluster.manager.begin(serializable=serializable)
    steps: list[Any] = []
    for step in range(source.randrange(1, 6)):
        transaction.begin_statement()
        if source.random() < 0.6:
            steps.append(("read", *await observe(transaction, source)))
        else:
            key = source.choice(KEYS)
            value = None if source.random() < 0.3 else [number, step]
            mode = source.choice([MODE_EXCLUSIVE, MODE_UPDATE])
            transaction.write(key, mode, None if value is None else encode_row(value))
            steps.append(("write", key, value))
        for _ in range(source.randrange(3)):
            await asyncio.sleep(0)
    try:
        result = await transaction.commit()
    except SqlError as error:
        assert error.sqlstate == "40001"
        return None
    return transaction.snapshot_csn, result.csn, steps


def run_steps(state: dict[bytes, Any], steps: list[Any]) -> dict[bytes, Any]:
    """The state after the steps; every read must have seen the state as it was then."""
    state = dict(state)
    for step in steps:
        if step[0] == "read":
            assert replay(state, step[1]) == step[2]
        elif step[2] is None:
            state.pop(step[1], None)
        else:
            state[step[1]] = step[2]
    return state


@pytest.mark.parametrize("serializable", [True, False])
@pytest.mark.parametrize("seed", range(15))
async def test_committed_transactions_have_an_order(seed: int, serializable: bool) -> None:
    cluster = FakeCluster(seed=seed)
    source = random.Random(seed)
    finished: list[tuple[int, int, list[Any]]] = []

    async def client(client_seed: int) -> None:
        own = random.Random(client_seed)
        for number in range(25):
            done = await one_transaction(cluster, own, client_seed * 100 + number, serializable)
            if done is not None:
                finished.append(done)

    await asyncio.gather(*[client(source.randrange(1 << 30)) for _ in range(4)])
    assert len(finished) > 20
    # States by csn, from the transactions that wrote.
    states: list[tuple[int, dict[bytes, Any]]] = [(0, {})]
    for snapshot, csn, steps in sorted(finished, key=lambda one: one[1]):
        if not csn:
            continue
        before = states[-1][1]
        if serializable:
            # As if it had run alone, just when it committed.
            after = run_steps(before, steps)
        else:
            # Its reads are those of its snapshot; its writes meet nobody else's.
            seen = [state for at, state in states if at <= snapshot][-1]
            run_steps(seen, steps)
            after = run_steps(before, [step for step in steps if step[0] == "write"])
        states.append((csn, after))
    for snapshot, csn, steps in finished:
        if not csn:
            run_steps([state for at, state in states if at <= snapshot][-1], steps)
    stored = states[-1][1]
    visible = cluster.store.visible(cluster.store.csn, PREFIX, key_prefix(20000, 1))
    assert {key: encode_row(value) for key, value in stored.items()} == visible
