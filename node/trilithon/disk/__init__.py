"""Data folders: one LMDB environment each, locked by one process, that says whose it is.

Vocabulary: a folder's *identity* is a JSON record made with it: role, format version, cluster, and
what else a role must not mix up.

Not here: what is in an environment; that is each role's own store.
"""

from trilithon.disk.folder import (
    LMDB_VERSION,
    MAP_BYTES,
    META,
    DiskFull,
    FolderRefused,
    MapFull,
    check_identity,
    grow_map,
    is_no_space,
    lock_folder,
    open_environment,
    put_identity,
    writing,
)

__all__ = [
    "LMDB_VERSION",
    "MAP_BYTES",
    "META",
    "DiskFull",
    "FolderRefused",
    "MapFull",
    "check_identity",
    "grow_map",
    "is_no_space",
    "lock_folder",
    "open_environment",
    "put_identity",
    "writing",
]
