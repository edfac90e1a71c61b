"""Garbage at the gRPC and metrics ports of every role of a real cluster: raw bytes, broken HTTP/2,
good gRPC with no messages in it."""

from __future__ import annotations

import contextlib
import random
import socket
import struct

import grpc
import pytest
from badinput_support import ANSWER_S
from harness import Cluster

from trilithon.chassis.load import processes_of
from trilithon.link import specs

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"

STREAMS = {
    "query": specs.SQL.name,
    "adjudicator": specs.ADJUDICATOR.name,
    "journal": specs.JOURNAL.name,
    "storage": specs.STORAGE.name,
}
STATUS = {
    "query": specs.SQL_STATUS,
    "adjudicator": specs.ADJUDICATOR_STATUS,
    "journal": specs.JOURNAL_STATUS,
    "storage": specs.STORAGE_STATUS,
}


def frame(kind: int, flags: int, stream: int, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return size.to_bytes(3, "big") + bytes((kind, flags)) + struct.pack("!I", stream) + body


RAW = [
    b"",
    b"\0",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00" + b"\1" * 517,
    b"\0\0\0\x08\0\3\0\0user\0\0",
    PREFACE[:10],
    PREFACE,
    PREFACE + SETTINGS[:5],
    PREFACE + SETTINGS + b"\xff" * 9,
    PREFACE + SETTINGS + frame(0, 0, 1, b"data on no stream"),
    PREFACE + SETTINGS + frame(1, 4, 1, b"\xff" * 50),
    PREFACE + SETTINGS + frame(1, 0, 1, b"", length=(1 << 24) - 1),
    PREFACE + SETTINGS + frame(8, 0, 0, b"\0\0\0\0"),
    PREFACE + SETTINGS + frame(6, 0, 0, b"\0" * 8) * 500,
    random.Random(1).randbytes(100_000),
    PREFACE + SETTINGS + random.Random(2).randbytes(100_000),
]


@pytest.fixture
def ports(watched: Cluster) -> list[tuple[str, str]]:
    """(role, address) of one process of each role, the witness included."""
    chosen = {
        "witness" if region.witness else role: (role, process.address)
        for region, role, process in processes_of(watched.config)
    }
    assert len(chosen) == 5
    return list(chosen.values())


def answers(role: str, address: str) -> None:
    """The process still does what it is there for."""
    with grpc.insecure_channel(address) as channel:
        assert channel.unary_unary(STATUS[role])(b"", timeout=ANSWER_S)


def throw(address: str, data: bytes) -> None:
    """Say it, say no more, and go: the other side may have ended it already."""
    host, _, port = address.rpartition(":")
    with (
        contextlib.suppress(OSError),
        socket.create_connection((host, int(port)), timeout=1) as stranger,
    ):
        stranger.sendall(data)
        stranger.shutdown(socket.SHUT_WR)
        while stranger.recv(65536):
            pass


def test_raw_bytes(ports: list[tuple[str, str]]) -> None:
    for role, address in ports:
        for data in RAW:
            throw(address, data)
        answers(role, address)


def test_metrics_ports(watched: Cluster) -> None:
    for _, _, process in processes_of(watched.config):
        if process.metrics:
            for data in (*RAW[:6], b"GET /" + b"x" * 100_000, b"POST /metrics HTTP/1.1\r\n\r\n"):
                throw(process.metrics, data)
            host, _, port = process.metrics.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=ANSWER_S) as scraper:
                scraper.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                assert b"200" in scraper.recv(64)


def test_connections_that_stay_and_say_nothing(ports: list[tuple[str, str]]) -> None:
    silent = []
    for role, address in ports:
        host, _, port = address.rpartition(":")
        for number in range(50):
            one = socket.create_connection((host, int(port)), timeout=ANSWER_S)
            one.sendall(PREFACE[: number % len(PREFACE)])
            silent.append(one)
        answers(role, address)
    for one in silent:
        one.close()


def refused(call: grpc.Call | grpc.RpcError) -> grpc.StatusCode:
    assert isinstance(call, grpc.RpcError)
    return call.code()  # type: ignore[attr-defined, no-any-return]


def test_good_grpc_without_messages_in_it(ports: list[tuple[str, str]]) -> None:
    garbage = [b"\xff", b"\x0a\xff", b"\x0a\x7f" + b"x", b"\0\0\0", random.Random(3).randbytes(500)]
    for role, address in ports:
        with grpc.insecure_channel(address) as channel:
            for data in garbage:
                with pytest.raises(grpc.RpcError) as caught:
                    channel.unary_unary(STATUS[role])(data, timeout=ANSWER_S)
                assert refused(caught.value) is grpc.StatusCode.INVALID_ARGUMENT
                stream = channel.stream_stream(STREAMS[role])(iter([data]), timeout=ANSWER_S)
                with pytest.raises(grpc.RpcError) as caught:
                    list(stream)
                assert refused(caught.value) is grpc.StatusCode.INVALID_ARGUMENT
            for method in ("/trilithon.v1.Nothing/Exchange", "/", "//", STREAMS[role] + "x"):
                with pytest.raises(grpc.RpcError) as caught:
                    channel.unary_unary(method)(b"", timeout=ANSWER_S)
                assert refused(caught.value) is grpc.StatusCode.UNIMPLEMENTED
        answers(role, address)


def test_messages_that_are_too_large(ports: list[tuple[str, str]]) -> None:
    large = b"\x0a" + b"\xff\xff\xff\x0f" + b"x" * (20 << 20)
    for role, address in ports:
        options = [("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(address, options=options) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                list(channel.stream_stream(STREAMS[role])(iter([large]), timeout=ANSWER_S))
            assert refused(caught.value) is grpc.StatusCode.RESOURCE_EXHAUSTED
        answers(role, address)
