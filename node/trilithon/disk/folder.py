"""Opening a data folder, or refusing it with the reason."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import lmdb

# py-lmdb's bundled LMDB 1.0: keys up to 1,978 bytes instead of 511.
LMDB_VERSION: Final = 1
# Address space, not disk space.
MAP_BYTES: Final = 1 << 40
_GROW_FACTOR: Final = 2

# The database, and its record, that say whose an environment is.
META: Final = b"meta"
_IDENTITY: Final = b"identity"

# LMDB 1.0's MDB_SHORT_WRITE: how a disk says first that it is nearly full.
_SHORT_WRITE: Final = -30772
# Space that an operator can give back. Anything else is a broken disk.
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, _SHORT_WRITE})


class FolderRefused(Exception):
    """The data folder is not one that this process may use; the text says why."""


class DiskFull(Exception):
    """Nothing was written; writing again later is safe."""


class MapFull(Exception):
    """Nothing was written; `grow_map`, then write again."""


def lock_folder(folder: Path) -> int:
    """Make the folder and lock it; returns the lock's file descriptor, to be closed last.

    LMDB itself lets several processes in; two of one role would overwrite each other's progress.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "process.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise FolderRefused(f"{folder} is in use by another process") from None
    return lock


def open_environment(folder: Path, map_bytes: int = MAP_BYTES) -> lmdb.Environment:
    """Raises FolderRefused, DiskFull; lmdb.Error and OSError for broken disks.

    What can be read afterwards is durable: the last write of a killed process may have become visible
    without its sync, and LMDB does not sync the folder that a new file stands in.
    """
    try:
        environment = lmdb.open(
            str(folder),
            map_size=map_bytes,
            max_dbs=8,
            max_spare_txns=8,
            lib_version=LMDB_VERSION,
        )
    except (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError) as error:
        raise FolderRefused(
            f"{folder} holds no LMDB environment that can be read: {error}"
        ) from None
    except lmdb.Error as error:
        if is_no_space(error):
            raise DiskFull(f"{folder}: the disk is full ({error})") from None
        raise
    try:
        environment.sync(True)
        for place in (folder, folder.absolute().parent):
            _sync_folder(place)
    except BaseException:
        environment.close()
        raise
    return environment


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems know no sync of folders, and say so.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def check_identity(
    environment: lmdb.Environment, folder: Path, *, role: str, format_version: int, cluster: str
) -> Mapping[str, Any] | None:
    """The environment's identity; None when it is new. Raises FolderRefused for another's."""
    with environment.begin() as transaction:
        if transaction.stat()["entries"] == 0:
            return None
    try:
        meta = environment.open_db(META, create=False)
    except (lmdb.NotFoundError, lmdb.IncompatibleError):
        raise _foreign(folder, role) from None
    with environment.begin() as transaction:
        record = transaction.get(_IDENTITY, db=meta)
    try:
        identity = json.loads(record or b"null")
    except ValueError:
        identity = None
    if not isinstance(identity, dict) or "role" not in identity:
        raise _foreign(folder, role)
    if identity["role"] != role:
        raise FolderRefused(f"{folder} is the data folder of a {identity['role']}, not of {role}")
    if identity.get("format") != format_version:
        raise FolderRefused(
            f"{folder} has format {identity.get('format')}, this version reads {format_version}"
        )
    if identity.get("cluster") != cluster:
        raise FolderRefused(
            f"{folder} belongs to the cluster {identity.get('cluster')!r}, "
            f"this process to {cluster!r}"
        )
    return identity


def _foreign(folder: Path, role: str) -> FolderRefused:
    return FolderRefused(f"{folder} holds something else than Trilithon's {role}")


def put_identity(transaction: Any, meta: Any, identity: Mapping[str, Any]) -> None:
    """Into the transaction that makes a new environment's databases: a process that is killed while
    it starts for the first time leaves nothing, or everything."""
    transaction.put(_IDENTITY, json.dumps(identity).encode(), db=meta)


@contextmanager
def writing(environment: lmdb.Environment, folder: Path) -> Iterator[Any]:
    """One write transaction, synced when it ends well.

    Raises MapFull and DiskFull, and nothing was written; anything else is a broken disk, and nobody
    knows what was written.
    """
    try:
        with environment.begin(write=True) as transaction:
            yield transaction
    except lmdb.MapFullError as error:
        raise MapFull(f"{folder}: {error}") from None
    except (lmdb.Error, OSError) as error:
        if is_no_space(error):
            raise DiskFull(f"{folder}: the disk is full ({error})") from error
        raise


def grow_map(environment: lmdb.Environment) -> int:
    """Double the map. Only while no transaction is open anywhere in this process."""
    size = int(environment.info()["map_size"]) * _GROW_FACTOR
    environment.set_mapsize(size)
    return size


def is_no_space(error: lmdb.Error | OSError) -> bool:
    code = error.errno if isinstance(error, OSError) else getattr(error, "code", 0)
    return code in _NO_SPACE or isinstance(error, lmdb.DiskError)
