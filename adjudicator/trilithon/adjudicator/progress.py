"""What the leader knows of one journal.

Two kinds of knowledge with different lives: what belongs to an *incarnation* (marks, leases, whether
it is in `required`) stays when the process behind the name changes; what belongs to the *link*
(`sent_csn`) is guessed anew after every gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trilithon.adjudicator.quorum import NEVER


@dataclass(slots=True)
class Progress:
    name: str
    region: str
    # Empty until the journal told it; appends need it.
    incarnation: bytes = b""
    # Newest entry that it has synced and that is in this leader's log; 0: nothing known.
    synced_csn: int = 0
    # Newest entry sent; None: what it holds is not known yet.
    sent_csn: int | None = None
    # Send time of the newest heartbeat that it acknowledged.
    heard_us: int = NEVER
    # Its newest answer: its process life and its clock. What a lease counts from.
    life: bytes = b""
    reading_us: int = 0

    # Entries appended from now on wait for it.
    required: bool = False
    # It joined `required` here; granted leases once it has synced this.
    join_csn: int = 0
    # No lease given to it lasts beyond this (leader's clock, drift not included).
    granted_until_us: int = NEVER
    # The process life that the newest lease was given to; and the newest one that gave its lease back.
    lease_life: bytes = b""
    retired_life: bytes = b""
    # Hopelessly slow: gets no more leases until it has caught up.
    slow: bool = False
    drop_count: int = 0
    dropped_us: int = NEVER
    rejoin_at_us: int = NEVER
    # When it joined last; the process life that was dropped after it had served well for a while, which
    # another life of it need not pay for.
    joined_us: int = NEVER
    forgiven_life: bytes = b""

    up: bool = False
    # It has said who it is since the link came up.
    confirmed: bool = False
    beat_due: bool = True
    news_due: bool = False
    # What it could settle by the marks that it was sent last.
    told_csn: int = NEVER
    # Below this nothing is in flight (where sending began).
    floor_csn: int = 0
    # Its own newest mark, also where this leader's memory cannot check it.
    acked_csn: int = 0
    gap_at_us: int = NEVER
    gap_csn: int = -1
    asked_at_us: int = NEVER
    # Its base is wanted, for a journal that starts there.
    base_wanted: bool = False
    relay: Relay | None = None
    relay_retry_us: int = NEVER
    relay_attempt: int = 0
    # The journals that no longer have what it lacks; and whether that is all of them: then it counts as
    # lost until it is rebuilt.
    trimmed_at: set[str] = field(default_factory=set)
    beyond_log: bool = False
    beyond_told: bool = False


@dataclass(slots=True)
class Relay:
    """Entries that this leader's memory no longer has, read from another journal and passed on."""

    source: str
    after_csn: int
    # Of the read under way; 0: none.
    correlation_id: int
    asked_at_us: int
    # The journal is empty and starts at the source's base.
    from_base: bool = False
    # What was passed on last: the next chunk waits until the journal has it.
    passed_csn: int = 0
