"""Read checks: whatever is joined, everything that was read stays covered."""

from hypothesis import given
from hypothesis import strategies as st

from trilithon.query.transaction import read_checks
from trilithon.query.transaction.read_checks import ReadChecks


def covers(checks: ReadChecks, key: bytes) -> bool:
    for message in checks.messages():
        if message.WhichOneof("what") == "key":
            if message.key == key:
                return True
        elif message.range.start <= key and (not message.range.end or key < message.range.end):
            return True
    return False


KEYS = st.binary(min_size=8, max_size=10)


@given(
    st.lists(KEYS | st.tuples(KEYS, KEYS | st.just(b"")), max_size=60),
    st.integers(min_value=4, max_value=30),
)
def test_everything_stays_covered(items: list, bound: int) -> None:
    before = read_checks.CHECKS_MAX
    read_checks.CHECKS_MAX = bound
    try:
        checks = ReadChecks()
        for item in items:
            if isinstance(item, bytes):
                checks.add_point(item)
            else:
                checks.add_range(*item)
        assert len(checks) <= bound + 1
        for item in items:
            if isinstance(item, bytes):
                assert covers(checks, item)
            elif not item[1] or item[0] < item[1]:
                assert covers(checks, item[0])
    finally:
        read_checks.CHECKS_MAX = before


def test_narrowing_after_joining_has_no_effect() -> None:
    checks = ReadChecks()
    token = checks.add_range(b"a" * 9, b"z" * 9)
    checks._coalesce()
    checks.narrow(token, b"a" * 9, b"b" * 9)
    assert covers(checks, b"m" * 9)


def test_points_inside_ranges_are_not_sent_twice() -> None:
    checks = ReadChecks()
    checks.add_range(b"b", b"d")
    checks.add_range(b"x", b"")
    for key in (b"a", b"b", b"c", b"d", b"y"):
        checks.add_point(key)
    messages = list(checks.messages())
    assert [m.key for m in messages if m.WhichOneof("what") == "key"] == [b"a", b"d"]
