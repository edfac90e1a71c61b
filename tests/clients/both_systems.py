"""Where PostgreSQL and the engine listen, for the tests of clients."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg


@dataclass(frozen=True)
class Systems:
    """Where both listen; the user is `admin` on both, who owns the database of PostgreSQL's."""

    postgresql_port: int
    postgresql_database: str
    port: int

    @property
    def both(self) -> tuple[tuple[int, str], tuple[int, str]]:
        """(port, database) of PostgreSQL, then of ours."""
        return (self.postgresql_port, self.postgresql_database), (self.port, "postgres")

    def run(self, script: str) -> None:
        """A script on both, each statement by itself."""
        for port, database in self.both:
            conninfo = f"host=127.0.0.1 port={port} user=admin dbname={database}"
            with psycopg.connect(conninfo, autocommit=True) as connection:
                for statement in filter(str.strip, script.split(";\n")):
                    connection.execute(statement)
