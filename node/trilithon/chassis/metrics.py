"""The Prometheus endpoint: the role's own numbers and the process's basics, over a minimal HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

_log = logging.getLogger("trilithon.chassis")

_REQUEST_BYTES_MAX: Final = 16 * 1024
_REQUEST_SECONDS: Final = 5.0
_CONNECTIONS_MAX: Final = 64


class RoleCollector(Collector):
    """Names that end in "_total" are counters, all others gauges."""

    def __init__(
        self, source: Callable[[], Mapping[str, float]], labels: Mapping[str, str]
    ) -> None:
        self._source = source
        self._names = list(labels)
        self._values = list(labels.values())

    def collect(self) -> Iterator[Metric]:
        for name, value in self._source().items():
            full_name = "trilithon_" + re.sub(r"[^A-Za-z0-9_]", "_", name)
            family: CounterMetricFamily | GaugeMetricFamily
            if name.endswith("_total"):
                family = CounterMetricFamily(full_name, name, labels=self._names)
            else:
                family = GaugeMetricFamily(full_name, name, labels=self._names)
            family.add_metric(self._values, value)
            yield family

    def describe(self) -> list[Metric]:
        # What a role counts may change while it runs; nothing to check at registration.
        return []


class MetricsServer:
    """Answers GET /metrics."""

    def __init__(
        self, source: Callable[[], Mapping[str, float]], labels: Mapping[str, str]
    ) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(RoleCollector(source, labels))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._server: asyncio.Server | None = None
        self._connections = 0

    @property
    def address(self) -> str:
        if self._server is None:
            return ""
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def start(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._server = await asyncio.start_server(
            self._serve, host.strip("[]"), int(port), limit=_REQUEST_BYTES_MAX
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                if self._connections <= _CONNECTIONS_MAX:
                    request = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._answer(request))
                    await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._connections -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answer(self, request: bytes) -> bytes:
        first_line = request.split(b"\r\n", 1)[0].split(b" ")
        if len(first_line) != 3 or first_line[0] != b"GET":
            return _response("400 Bad Request", b"expected GET /metrics\n", "text/plain")
        if first_line[1].split(b"?")[0] != b"/metrics":
            return _response("404 Not Found", b"expected /metrics\n", "text/plain")
        try:
            body = generate_latest(self._registry)
        except Exception:
            _log.exception("metrics cannot be collected")
            return _response("500 Internal Server Error", b"see the log\n", "text/plain")
        return _response("200 OK", body, CONTENT_TYPE_LATEST)


def _response(status: str, body: bytes, content_type: str) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
