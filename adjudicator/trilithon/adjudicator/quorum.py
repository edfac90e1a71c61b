"""Majorities over the member lists of a log.

A journal is named by its incarnation, never by its Region. A *group* is the incarnations of one
list. Whoever counts by a log counts by the newest list in it, committed or not: by one group, or,
while a change is open, by both halves of the joint list, for promises, acknowledgements, authority
and settling alike. This is Raft's joint consensus (Ongaro & Ousterhout 2014, section 6), and it
rests on the same two conditions: a joint list is appended only after the list before it is settled,
and the list that closes it only after the joint list is settled.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from trilithon.core.invariant import require
from trilithon.v1 import types_pb2 as types

# Below every csn and every clock reading.
NEVER: Final = -(1 << 62)

Group = tuple[bytes, ...]


def majority(count: int) -> int:
    return count // 2 + 1


@dataclass(frozen=True, slots=True)
class Voters:
    groups: tuple[Group, ...]

    def all(self) -> tuple[bytes, ...]:
        """Everybody who counts, each once."""
        return tuple(dict.fromkeys(voter for group in self.groups for voter in group))

    def satisfied_by(self, have: Container[bytes]) -> bool:
        """Whether `have` holds a majority of every group. False without groups."""
        return bool(self.groups) and all(
            sum(voter in have for voter in group) >= majority(len(group)) for group in self.groups
        )

    def reached(self, values: Mapping[bytes, int]) -> int:
        """The highest value that a majority of every group has reached; NEVER where there is none.

        With marks this is the newest csn that a majority has synced; with the send times of
        acknowledged heartbeats, the newest time at which a majority is known to have listened.
        """
        return min((_reached(group, values) for group in self.groups), default=NEVER)


def _reached(group: Group, values: Mapping[bytes, int]) -> int:
    require(group, "a member list names somebody")
    ordered = sorted((values.get(voter, NEVER) for voter in group), reverse=True)
    return ordered[majority(len(group)) - 1]


def members_of(entry: types.Entry) -> types.MemberList | None:
    """The member list that an entry brings, if any."""
    content = entry.WhichOneof("content")
    if content == "members":
        return entry.members
    if content == "epoch_start" and entry.epoch_start.members.members:
        return entry.epoch_start.members
    return None


def newest_list(entries: Iterable[types.Entry]) -> types.MemberList | None:
    """The list that counts, among a log's entries with member lists."""
    newest = max(entries, key=lambda entry: entry.csn, default=None)
    return members_of(newest) if newest is not None else None


def voters_of(members: types.MemberList | None) -> Voters:
    if members is None:
        return Voters(())
    lists = [members.members, members.next] if members.next else [members.members]
    return Voters(tuple(tuple(member.incarnation for member in one) for one in lists))
