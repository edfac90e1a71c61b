"""The clients of a drill, beside the transfers of `demo.Load`."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Final

import trilithon.client
from trilithon.cli import banking
from trilithon.cli.drill.outcome import Outcome, Sample

READ_TIMEOUT_S: Final = 10.0


class Recorder:
    """Clients' answers, from many threads."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._lock = threading.Lock()
        self.began = time.monotonic()

    def answered(self, region: str, kind: str, latency_s: float) -> None:
        sample = Sample(time.monotonic() - self.began, region, kind, latency_s)
        with self._lock:
            self._outcome.samples.append(sample)

    def refused(self, sqlstate: str) -> None:
        with self._lock:
            self._outcome.errors[sqlstate] += 1


def read_forever(
    region: str, endpoint: str, key: uuid.UUID, recorder: Recorder, stop: threading.Event
) -> None:
    """A reader bound to one Region: it shows when that Region serves, and what it says when not."""
    sql = banking.numbered(banking.BALANCE, 1)
    with trilithon.client.connect(
        endpoint, connect_timeout_s=READ_TIMEOUT_S, statement_timeout_s=READ_TIMEOUT_S
    ) as client:
        while not stop.is_set():
            began = time.monotonic()
            try:
                client.execute(sql, [key])
            except (trilithon.client.DatabaseError, trilithon.client.ConnectionLost) as error:
                recorder.refused(error.sqlstate)
                stop.wait(0.02)
            else:
                recorder.answered(region, "read", time.monotonic() - began)
                stop.wait(0.005)
