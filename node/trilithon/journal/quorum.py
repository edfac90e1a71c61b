"""Majorities over member lists, joint ones included.

A *group* is one list's incarnations. Whoever counts by a log needs a majority of every group in
force: of the newest list that is surely settled, and of every list above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trilithon.core.csn import NO_CSN
from trilithon.v1.types_pb2 import Entry, MemberList

Group = tuple[bytes, ...]


def member_list_of(entry: Entry) -> MemberList | None:
    """The member list that an entry brings, if it brings one."""
    match entry.WhichOneof("content"):
        case "members":
            return entry.members
        case "epoch_start":
            members = entry.epoch_start.members
            return members if members.members else None
    return None


def groups_of(members: MemberList) -> list[Group]:
    groups = [tuple(member.incarnation for member in members.members)]
    if members.next:
        groups.append(tuple(member.incarnation for member in members.next))
    return groups


def majority_csn(group: Sequence[bytes], marks: Mapping[bytes, int]) -> int:
    """The highest csn that more than half of the group has reached."""
    reached = sorted((marks.get(incarnation, NO_CSN) for incarnation in group), reverse=True)
    return reached[len(group) // 2]


def quorum_csn(groups: Sequence[Group], marks: Mapping[bytes, int]) -> int:
    """The highest csn that a majority of every group has reached; none without groups."""
    return min((majority_csn(group, marks) for group in groups), default=NO_CSN)


class Members:
    """The member lists of one log: the newest at or below the base, and all above it."""

    __slots__ = ("_at", "_changed", "_entries", "_groups")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = list(entries)
        self._groups: tuple[Group, ...] = ()
        self._at = -1
        self._changed = True

    @property
    def newest(self) -> MemberList | None:
        return member_list_of(self._entries[-1]) if self._entries else None

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._changed = True

    def cut(self, csn: int) -> None:
        while self._entries and self._entries[-1].csn > csn:
            self._entries.pop()
            self._changed = True

    def in_force(self, settled_csn: int) -> list[Entry]:
        """The newest settled one and every one above it, newest last."""
        first = 0
        for index, entry in enumerate(self._entries):
            if entry.csn <= settled_csn:
                first = index
        return self._entries[first:]

    def base_entries(self, base_csn: int) -> list[Entry]:
        """What a base at `base_csn` has to keep."""
        return [entry for entry in self._entries if entry.csn <= base_csn][-1:]

    def trim(self, base_csn: int) -> None:
        self._entries = self.base_entries(base_csn) + [
            entry for entry in self._entries if entry.csn > base_csn
        ]
        self._changed = True

    def groups(self, settled_csn: int) -> tuple[Group, ...]:
        """The groups in force, given what is known to be settled. Cached: called for every batch."""
        if not self._changed and (len(self._entries) < 2 or self._at == settled_csn):
            return self._groups
        found: dict[Group, None] = {}
        for entry in self.in_force(settled_csn):
            members = member_list_of(entry)
            if members is not None:
                found.update(dict.fromkeys(groups_of(members)))
        self._groups = tuple(found)
        self._at = settled_csn
        self._changed = False
        return self._groups
