"""Opening a data folder, or refusing it with the reason."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import lmdb

# py-lmdb's bundled LMDB 1.0: keys up to 1,978 bytes instead of 511.
LMDB_VERSION: Final = 1
# Address space, not disk space.
MAP_BYTES: Final = 1 << 40

# LMDB 1.0's MDB_SHORT_WRITE: how a disk says first that it is nearly full.
_SHORT_WRITE: Final = -30772
# Space that an operator can give back. Anything else is a broken disk.
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, _SHORT_WRITE})


class FolderRefused(Exception):
    """The data folder is not one that this process may use; the text says why."""


class DiskFull(Exception):
    """Nothing was written."""


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
    """Raises FolderRefused, DiskFull; lmdb.Error for broken disks."""
    try:
        return lmdb.open(
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
            raise DiskFull(f"{folder}: {error}") from None
        raise


def check_identity(
    folder: Path, record: bytes | None, *, role: str, format_version: int, cluster: str
) -> Mapping[str, Any]:
    """The identity record as a mapping. Raises FolderRefused when it is another's."""
    try:
        identity = json.loads(record or b"null")
    except ValueError:
        identity = None
    if not isinstance(identity, dict) or "role" not in identity:
        raise FolderRefused(f"{folder} holds something else than Trilithon's {role}")
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


def is_no_space(error: lmdb.Error | OSError) -> bool:
    code = error.errno if isinstance(error, OSError) else getattr(error, "code", 0)
    return code in _NO_SPACE or isinstance(error, lmdb.DiskError)
