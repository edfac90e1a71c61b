"""The role as the chassis starts it, over gRPC, from a configuration."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from storage_journal import FakeJournal, RealClock, until
from storage_support import csn, row, scratch_folder

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.core.world import World
from trilithon.disk import FolderRefused
from trilithon.link import GrpcNetwork
from trilithon.link.specs import STORAGE_CHECKSUM, STORAGE_STATUS
from trilithon.query.reads import open_snapshots, open_storage
from trilithon.storage import role
from trilithon.types import keys
from trilithon.types.registry import TEXT
from trilithon.v1 import storage_pb2


def key(name: str) -> bytes:
    return keys.key_prefix(16384, 0) + keys.encode_columns([TEXT], [name])


def configure(folder: Path, journal: str, storage: str, cluster: str = "c") -> ClusterConfig:
    region = RegionConfig(
        name="a",
        journal=(ProcessConfig(name="a/journal-0", address=journal),),
        storage=(
            ProcessConfig(
                name="a/storage-0", address=storage, data=str(folder / "a" / "storage-0")
            ),
        ),
    )
    return ClusterConfig(cluster=cluster, regions=(region,))


async def test_from_the_configuration_to_an_answer() -> None:
    network = GrpcNetwork()
    world = World(RealClock(), random.Random(5), network)
    journal = FakeJournal(network, "127.0.0.1:0")  # type: ignore[arg-type]
    await journal.start()
    journal.address = journal.server.address
    with scratch_folder() as folder:
        config = configure(folder, journal.address, "127.0.0.1:0")
        region = config.regions[0]
        running = await role.start(config, region.storage[0], region, world)
        journal.write(csn(0))
        journal.write(csn(1), (key("a"), row("one")), (key("b"), row("two")))

        config = configure(folder, journal.address, running.address)
        snapshots = open_snapshots(config, config.regions[0], world)
        reads = open_storage(config, config.regions[0], world)
        snapshot = await snapshots.snapshot()
        assert snapshot.csn == csn(1)
        assert await reads.get(snapshot.csn, [key("a"), key("x")]) == [["one"], None]
        rows = [one async for chunk in reads.scan(snapshot.csn, b"", b"") for one in chunk.rows]
        assert rows == [["one"], ["two"]]
        assert (await reads.speculative_get([key("b")])).rows == [["two"]]

        status = await network.call(
            running.address, STORAGE_STATUS, storage_pb2.StorageStatusRequest(), timeout=5
        )
        assert (status.identity.name, status.state) == ("a/storage-0", "following")
        checksum = await network.call(
            running.address, STORAGE_CHECKSUM, storage_pb2.StorageChecksumRequest(), timeout=5
        )
        assert (checksum.csn, checksum.rows) == (csn(1), 2)

        with pytest.raises(FolderRefused, match="in use"):
            await role.start(config, region.storage[0], region, world)
        await reads.close()
        await snapshots.close()
        await running.stop()
        # What was settled was applied on the way out.
        other = configure(folder, journal.address, "127.0.0.1:0", cluster="another")
        with pytest.raises(FolderRefused, match="belongs to the cluster 'c'"):
            await role.start(other, region.storage[0], region, world)
        running = await role.start(config, region.storage[0], region, world)
        assert running.machine.applied == csn(1)
        await until(lambda: running.feed.journal)
        assert journal.subscribed_after[-1] == csn(1)
        await running.stop()
        assert running.failed.cancelled()
    await journal.server.close(0.1)


async def test_a_taken_address_is_an_error_and_frees_the_folder() -> None:
    network = GrpcNetwork()
    world = World(RealClock(), random.Random(5), network)
    server = await network.serve("127.0.0.1:0", {}, {})
    with scratch_folder() as folder:
        config = configure(folder, "127.0.0.1:1", server.address)
        region = config.regions[0]
        for _ in range(2):
            with pytest.raises(OSError, match="listen"):
                await role.start(config, region.storage[0], region, world)
    await server.close(0.1)
