"""Foreign keys between the Regions of a real cluster: a parent that goes in one, a child that comes in the
other, in both orders; and constraints that are added in one while the other writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from harness import Cluster

Session = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def sessions(cluster: Cluster) -> Iterator[dict[str, Session]]:
    with (
        psycopg.connect(**cluster.postgresql("a")) as a,
        psycopg.connect(**cluster.postgresql("b")) as b,
    ):
        yield {"a": a, "b": b}
        for one in (a, b):
            one.rollback()


def schema(session: Session, action: str) -> None:
    session.rollback()
    session.autocommit = True
    session.execute("DROP TABLE IF EXISTS rc_child, rc_parent")
    session.execute("CREATE TABLE rc_parent (id int PRIMARY KEY, note text)")
    session.execute(
        f"CREATE TABLE rc_child (id int PRIMARY KEY, parent int REFERENCES rc_parent {action})"
    )
    session.execute("INSERT INTO rc_parent VALUES (1, 'one'), (2, 'two')")
    session.autocommit = False


def committed(session: Session) -> bool:
    try:
        session.commit()
    except psycopg.errors.SerializationFailure:
        return False
    return True


@pytest.mark.parametrize("action", ["", "ON DELETE CASCADE", "DEFERRABLE INITIALLY DEFERRED"])
@pytest.mark.parametrize("child_first", [True, False])
@pytest.mark.parametrize("child_region", ["a", "b"])
def test_a_parent_goes_and_a_child_comes(
    sessions: dict[str, Session], child_region: str, child_first: bool, action: str
) -> None:
    child, parent = sessions[child_region], sessions["b" if child_region == "a" else "a"]
    schema(parent, action)
    child.execute("INSERT INTO rc_child VALUES (1, 1)")
    parent.execute("DELETE FROM rc_parent WHERE id = 1")
    first, second = (child, parent) if child_first else (parent, child)
    assert committed(first)
    assert not committed(second)
    for session in (child, parent):
        orphans = session.execute(
            "SELECT c.id FROM rc_child c LEFT JOIN rc_parent p ON p.id = c.parent WHERE p.id IS NULL"
        ).fetchall()
        assert orphans == []
        session.rollback()


@pytest.mark.parametrize("child_first", [True, False])
def test_another_column_of_the_parent_is_nobodys_matter(
    sessions: dict[str, Session], child_first: bool
) -> None:
    schema(sessions["a"], "")
    sessions["a"].execute("UPDATE rc_parent SET note = 'changed' WHERE id = 1")
    sessions["b"].execute("INSERT INTO rc_child VALUES (1, 1)")
    order = ["b", "a"] if child_first else ["a", "b"]
    assert [committed(sessions[one]) for one in order] == [True, True]


def test_a_constraint_is_added_while_the_other_region_writes(
    cluster: Cluster, sessions: dict[str, Session]
) -> None:
    session = sessions["a"]
    schema(session, "")
    session.autocommit = True
    session.execute("ALTER TABLE rc_child DROP CONSTRAINT rc_child_parent_fkey")
    session.execute("INSERT INTO rc_child SELECT g, g % 2 + 1 FROM generate_series(1, 2500) g")
    stop = threading.Event()
    wrong: list[Exception] = []
    written = 0

    def write() -> None:
        nonlocal written
        with psycopg.connect(**cluster.postgresql("b"), autocommit=True) as other:
            while not stop.is_set():
                try:
                    other.execute("INSERT INTO rc_child VALUES (%s, 1)", [10_000 + written])
                    written += 1
                except psycopg.errors.SerializationFailure:
                    # The definition changed under it.
                    continue
                except psycopg.Error as error:
                    wrong.append(error)
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for sql in (
            "ALTER TABLE rc_child ADD FOREIGN KEY (parent) REFERENCES rc_parent",
            "ALTER TABLE rc_child ALTER COLUMN parent SET NOT NULL",
            "ALTER TABLE rc_child ADD CONSTRAINT positive CHECK (id > 0)",
        ):
            session.execute(sql)
    finally:
        stop.set()
        writer.join(30)
    assert not wrong
    jobs = session.execute(
        "SELECT object_name, status FROM sys.jobs WHERE table_name = 'rc_child'"
        " AND job_type = 'VALIDATE' ORDER BY start_time"
    ).fetchall()
    assert jobs == [
        ("rc_child_parent_fkey", "completed"),
        ("parent", "completed"),
        ("positive", "completed"),
    ]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        session.execute("INSERT INTO rc_child VALUES (9000, 9)")
    session.execute("DROP TABLE rc_child, rc_parent")
