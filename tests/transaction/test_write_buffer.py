"""The write buffer against a dict, and its limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from trilithon.core.errors import SqlError
from trilithon.core.invariant import InvariantViolation
from trilithon.query.transaction.write_buffer import (
    STRENGTH,
    BufferLimits,
    WriteBuffer,
    is_row_key,
)
from trilithon.types.keys import key_prefix
from trilithon.v1.types_pb2 import MODE_BLIND, MODE_EXCLUSIVE, MODE_KEY_SHARE, MODE_UPDATE

ROW = key_prefix(20000, 0)
ENTRY = key_prefix(20000, 20001)
KEYS = [ROW + bytes([n]) for n in range(6)] + [ENTRY + bytes([n]) for n in range(3)]
BIG = BufferLimits(rows=1000, bytes=1 << 20)


def buffer(**limits: int) -> WriteBuffer:
    return WriteBuffer(BufferLimits(**limits))


class BufferModel(RuleBasedStateMachine):
    """State of the model: (values, modes, locks), copied at savepoints and statements."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = WriteBuffer(BIG)
        self.values: dict[bytes, bytes | None] = {}
        self.modes: dict[bytes, int] = {}
        self.locks: dict[bytes, int] = {}
        self.stack: list[tuple[str, dict, dict, dict]] = []
        self.before: dict[bytes, bytes | None] | None = None

    @initialize(statements=st.booleans())
    def begin(self, statements: bool) -> None:
        if statements:
            self.statement()

    @rule(
        key=st.sampled_from(KEYS),
        mode=st.sampled_from([1, 2, 4]),
        value=st.none() | st.binary(max_size=3),
    )
    def write(self, key: bytes, mode: int, value: bytes | None) -> None:
        self.buffer.write(key, mode, value)
        self.values[key] = value
        self.modes[key] = min(mode, self.modes.get(key, 9), key=lambda m: STRENGTH.get(m, 9))

    @rule(key=st.sampled_from(KEYS), mode=st.sampled_from([1, 2, 3]))
    def lock(self, key: bytes, mode: int) -> None:
        self.buffer.lock(key, mode)
        self.locks[key] = min(mode, self.locks.get(key, 9))

    @rule()
    def statement(self) -> None:
        self.buffer.begin_statement()
        self.before = dict(self.values)

    @rule(name=st.sampled_from("abc"))
    def savepoint(self, name: str) -> None:
        self.buffer.savepoint(name)
        self.stack.append((name, dict(self.values), dict(self.modes), dict(self.locks)))

    def _position(self, name: str) -> int | None:
        found = [at for at, entry in enumerate(self.stack) if entry[0] == name]
        return found[-1] if found else None

    @rule(name=st.sampled_from("abc"))
    def release(self, name: str) -> None:
        position = self._position(name)
        if position is None:
            with pytest.raises(SqlError, match="3B001"):
                self.buffer.release(name)
            return
        self.buffer.release(name)
        del self.stack[position:]

    @rule(name=st.sampled_from("abc"))
    def rollback_to(self, name: str) -> None:
        position = self._position(name)
        if position is None:
            with pytest.raises(SqlError, match="3B001"):
                self.buffer.rollback_to(name)
            return
        self.buffer.rollback_to(name)
        del self.stack[position + 1 :]
        _, values, modes, locks = self.stack[position]
        self.values, self.modes, self.locks = dict(values), dict(modes), dict(locks)
        # A session announces its next statement after ROLLBACK TO.
        self.statement()

    @invariant()
    def agrees(self) -> None:
        assert dict(self.buffer.visible_range(b"", b"", current=True)) == self.values
        assert [key for key, _ in self.buffer.visible_range(b"", b"", current=True)] == sorted(
            self.values
        )
        expected = self.values if self.before is None else self.before
        assert dict(self.buffer.visible_range(b"", b"")) == expected
        for key in KEYS:
            seen = self.buffer.visible(key)
            assert (seen is not None) == (key in expected)
            if seen is not None:
                assert seen.value == expected[key]
        middle = KEYS[3]
        assert dict(self.buffer.visible_range(middle, ENTRY)) == {
            key: value for key, value in expected.items() if middle <= key < ENTRY
        }
        assert self.buffer.row_count == sum(is_row_key(key) for key in self.values)
        assert self.buffer.byte_count == sum(
            len(key) + len(value or b"") for key, value in self.values.items()
        ) + sum(map(len, self.locks))

    @invariant()
    def write_set_agrees(self) -> None:
        write_set = self.buffer.write_set()
        assert [write.key for write in write_set.writes] == sorted(self.values)
        claimed: dict[bytes, set[int]] = {}
        for write in write_set.writes:
            assert (write.value if write.HasField("value") else None) == self.values[write.key]
            claimed.setdefault(write.key, set()).add(write.mode)
        for lock in write_set.locks:
            claimed.setdefault(lock.key, set()).add(lock.mode)
        for key, mode in self.modes.items():
            strongest = min(claimed[key], key=lambda m: STRENGTH[m])
            assert STRENGTH[strongest] <= STRENGTH[mode]
        for key, mode in self.locks.items():
            strongest = min(claimed[key], key=lambda m: STRENGTH[m])
            assert STRENGTH[strongest] <= STRENGTH[mode]


BufferModel.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestBufferModel = BufferModel.TestCase


def test_row_limit_counts_rows_not_entries() -> None:
    target = buffer(rows=2)
    for number in range(10):
        target.write(ENTRY + bytes([number]), MODE_BLIND, b"x")
    target.write(ROW + b"1", MODE_EXCLUSIVE, b"x")
    target.write(ROW + b"2", MODE_EXCLUSIVE, b"x")
    target.write(ROW + b"2", MODE_EXCLUSIVE, None)
    with pytest.raises(SqlError) as raised:
        target.write(ROW + b"3", MODE_EXCLUSIVE, b"x")
    assert raised.value.sqlstate == "54000"
    assert raised.value.message == "transaction row limit exceeded"
    assert target.row_count == 2
    assert not target.wrote(ROW + b"3")


def test_system_rows_do_not_count() -> None:
    target = buffer(rows=0)
    target.write(key_prefix(1, 0) + b"x", MODE_EXCLUSIVE, b"x")
    assert target.row_count == 0


def test_rows_are_free_again_after_rollback_to() -> None:
    target = buffer(rows=1)
    target.savepoint("s")
    target.write(ROW + b"1", MODE_EXCLUSIVE, b"x")
    target.rollback_to("s")
    target.write(ROW + b"2", MODE_EXCLUSIVE, b"x")
    assert target.row_count == 1
    assert [key for key, _ in target.visible_range(b"", b"")] == [ROW + b"2"]


def test_size_limit_names_the_limit_and_the_size() -> None:
    target = WriteBuffer(BufferLimits(bytes=10 * 1024 * 1024))
    for number in range(9):
        target.write(ROW + bytes([number]), MODE_EXCLUSIVE, bytes(1024 * 1024))
    with pytest.raises(SqlError) as raised:
        target.write(ROW + b"x", MODE_EXCLUSIVE, bytes(1024 * 1024))
    assert raised.value.message == "transaction size limit 10mb exceeded"
    assert raised.value.sqlstate == "54000"
    assert "10mb" in raised.value.detail
    # What was there can shrink.
    target.write(ROW + b"\0", MODE_EXCLUSIVE, None)


def test_locks_count_as_bytes() -> None:
    target = buffer(bytes=30)
    target.lock(ROW + b"1", MODE_EXCLUSIVE)
    target.lock(ROW + b"2", MODE_EXCLUSIVE)
    target.lock(ROW + b"3", MODE_EXCLUSIVE)
    with pytest.raises(SqlError, match="54000"):
        target.lock(ROW + b"4", MODE_EXCLUSIVE)


def test_row_and_key_size() -> None:
    target = WriteBuffer(BufferLimits())
    with pytest.raises(SqlError) as raised:
        target.write(ROW, MODE_EXCLUSIVE, bytes(2 * 1024 * 1024 + 1))
    assert (raised.value.sqlstate, raised.value.message) == ("54000", "maximum row size exceeded")
    with pytest.raises(SqlError) as raised:
        target.write(ROW + bytes(2000), MODE_EXCLUSIVE, b"")
    assert (raised.value.sqlstate, raised.value.message) == ("54000", "key size too large")


def test_key_share_does_not_weaken_and_exclusive_lock_strengthens() -> None:
    target = WriteBuffer(BIG)
    target.write(KEYS[0], MODE_UPDATE, b"")
    target.lock(KEYS[0], MODE_KEY_SHARE)
    target.write(KEYS[1], MODE_UPDATE, b"")
    target.lock(KEYS[1], MODE_EXCLUSIVE)
    target.write(KEYS[2], MODE_BLIND, b"")
    target.lock(KEYS[2], MODE_KEY_SHARE)
    target.lock(KEYS[3], MODE_KEY_SHARE)
    target.lock(KEYS[3], MODE_EXCLUSIVE)
    target.lock(KEYS[3], MODE_KEY_SHARE)
    write_set = target.write_set()
    assert [write.mode for write in write_set.writes] == [MODE_UPDATE, MODE_EXCLUSIVE, MODE_BLIND]
    assert {(lock.key, lock.mode) for lock in write_set.locks} == {
        (KEYS[2], MODE_KEY_SHARE),
        (KEYS[3], MODE_EXCLUSIVE),
    }


def test_impossible_modes_are_refused() -> None:
    target = WriteBuffer(BIG)
    with pytest.raises(InvariantViolation):
        target.write(KEYS[0], MODE_KEY_SHARE, b"")
    with pytest.raises(InvariantViolation):
        target.lock(KEYS[0], MODE_BLIND)


def test_versions_do_not_pile_up() -> None:
    target = WriteBuffer(BIG)
    for number in range(1000):
        target.begin_statement()
        target.write(KEYS[0], MODE_UPDATE, str(number).encode())
    depth, version = 0, target.visible(KEYS[0], current=True)
    while version is not None:
        depth, version = depth + 1, version.previous
    assert depth <= 3
    target.savepoint("s")
    for number in range(1000):
        target.begin_statement()
        target.write(KEYS[0], MODE_UPDATE, str(number).encode())
    depth, version = 0, target.visible(KEYS[0], current=True)
    while version is not None:
        depth, version = depth + 1, version.previous
    assert depth <= 5
    target.rollback_to("s")
    newest = target.visible(KEYS[0], current=True)
    assert newest is not None
    assert newest.value == b"999"


def test_what_a_statement_sees_survives_savepoints_within_it() -> None:
    target = WriteBuffer(BIG)
    target.begin_statement()
    target.write(KEYS[0], MODE_UPDATE, b"before")
    target.begin_statement()
    target.write(KEYS[0], MODE_UPDATE, b"one")
    target.savepoint("s")
    target.write(KEYS[0], MODE_UPDATE, b"two")
    target.release("s")
    target.savepoint("t")
    target.release("t")
    target.write(KEYS[0], MODE_UPDATE, b"three")
    seen = target.visible(KEYS[0])
    assert seen is not None
    assert seen.value == b"before"


@given(st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=4)), max_size=40))
def test_order_of_any_keys(pairs: list[tuple[bytes, bytes]]) -> None:
    target = WriteBuffer(BIG)
    for at, (key, value) in enumerate(pairs):
        target.write(key, MODE_BLIND, value)
        if at % 5 == 0:
            assert [k for k, _ in target.visible_range(b"", b"")] == sorted(
                {k for k, _ in pairs[: at + 1]}
            )
    assert dict(target.visible_range(b"", b"")) == dict(pairs)
