"""Old entries for a journal that is far behind, read from another journal and passed on.

The leader's memory holds only the newest part of the log. What lies before it is settled, so every
journal that has caught up holds the same; one chunk at a time is read there and appended here. An
empty journal is started at its source's base when the beginning is no longer kept anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from trilithon.adjudicator.copy import LogCopy
from trilithon.adjudicator.outbox import Outbox
from trilithon.adjudicator.progress import Progress, Relay
from trilithon.adjudicator.settings import Settings
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

Send = Callable[[Progress, int, Iterable[types.Entry], "journal.Base | None", int], None]

_RETRY_TTL: Final = 1


class RelayDesk:
    def __init__(
        self,
        settings: Settings,
        copy: LogCopy,
        journals: Mapping[str, Progress],
        send: Send,
    ) -> None:
        self._settings = settings
        self._copy = copy
        self._journals = journals
        self._send = send
        # The base of each journal, as far as it is known.
        self.bases: dict[str, int] = {}

    def need(self, progress: Progress, common: int | None, *, fresh: bool, now_us: int) -> None:
        """`progress` lacks what follows `common`, which this leader's memory has not got.

        None: no common csn is known; only a `fresh` journal can be helped then.
        """
        if now_us < progress.relay_retry_us:
            return
        progress.relay_retry_us = now_us + self._settings.lease_ttl_us * _RETRY_TTL
        source = self._source(progress)
        if source is None:
            return
        if common is None and not fresh:
            progress.beyond_log = True
            return
        after = self.bases.get(source.name) if fresh else common
        if after is None:
            # Its base has to be asked for first.
            source.base_wanted = True
            return
        progress.relay = Relay(source.name, after, 0, now_us, from_base=fresh)

    def _able(self, progress: Progress) -> list[Progress]:
        """Who has caught up."""
        base_csn = self._copy.log.base_csn
        return [
            other
            for other in self._journals.values()
            if other is not progress and other.up and other.synced_csn >= max(base_csn, 1)
        ]

    def _source(self, progress: Progress) -> Progress | None:
        able = self._able(progress)
        near = [other for other in able if other.region == self._settings.region]
        candidates = near + [other for other in able if other not in near]
        if not candidates:
            return None
        # A source that failed is not asked first again.
        progress.relay_attempt += 1
        return candidates[(progress.relay_attempt - 1) % len(candidates)]

    def tend(self, now_us: int, out: Outbox) -> None:
        """Ask for the next chunk where the one before has arrived."""
        for progress in self._journals.values():
            relay = progress.relay
            if relay is None:
                continue
            if relay.correlation_id:
                if now_us - relay.asked_at_us > self._settings.lease_ttl_us * 2:
                    progress.relay = None
                continue
            if progress.acked_csn < relay.passed_csn:
                if now_us - relay.asked_at_us > self._settings.lease_ttl_us * 4:
                    progress.relay = None
                continue
            relay.correlation_id = out.correlation()
            relay.asked_at_us = now_us
            request = journal.JournalRequest(
                correlation_id=relay.correlation_id,
                read_log=journal.ReadLog(
                    after_csn=relay.after_csn,
                    to_csn=self._copy.log.base_csn,
                    max_bytes=self._settings.append_bytes_max,
                ),
            )
            out.journals.append((relay.source, request))

    def log_part(self, correlation_id: int, part: journal.LogPart, now_us: int) -> None:
        progress = self._asked_by(correlation_id)
        if progress is None or progress.relay is None:
            return
        relay = progress.relay
        relay.correlation_id = 0
        log = self._copy.log
        entries = [entry for entry in part.entries if entry.csn <= log.base_csn]
        fits = not entries or entries[0].previous_csn == relay.after_csn
        if not fits or (not entries and not log.contains(relay.after_csn)):
            progress.relay = None
            return
        base = None
        if relay.from_base and relay.after_csn:
            if part.base.csn != relay.after_csn:
                progress.relay = None
                self.bases.pop(relay.source, None)
                return
            base = part.base
        relay.from_base = False
        self._send(progress, relay.after_csn, entries, base, now_us)
        if entries:
            relay.after_csn = relay.passed_csn = entries[-1].csn
        if log.contains(relay.after_csn):
            progress.sent_csn = progress.floor_csn = relay.after_csn
            progress.relay = None

    def failed(self, correlation_id: int, *, trimmed: bool = False) -> None:
        """`trimmed`: the source's log begins after what is wanted."""
        progress = self._asked_by(correlation_id)
        if progress is None or progress.relay is None:
            return
        relay, progress.relay = progress.relay, None
        self.bases.pop(relay.source, None)
        if trimmed and not relay.from_base:
            progress.trimmed_at.add(relay.source)
            able = self._able(progress)
            progress.beyond_log = all(other.name in progress.trimmed_at for other in able)

    def _asked_by(self, correlation_id: int) -> Progress | None:
        for progress in self._journals.values():
            if progress.relay is not None and progress.relay.correlation_id == correlation_id:
                return progress
        return None
