"""Housekeeping: once an hour what has ended long ago is deleted, and what registered itself and was never used.

Promises: works in small batches, turn by turn while there is more, so that no other chore waits long; tells the log
which clients it removed. Must not know: what an ending is, or how anything is kept.
"""

import logging

from idp.records.clients import ClientRecords
from idp.records.endings import Endings
from idp.settings import Settings
from idp.store import Clock

log = logging.getLogger(__name__)

DAY = 86400
PAUSE_SECONDS = 3600
CLIENTS_AT_ONCE = 50


class Housekeeping:
    """Looks after what is left behind."""

    def __init__(self, endings: Endings, clients: ClientRecords, *, settings: Settings, clock: Clock) -> None:
        self._endings = endings
        self._clients = clients
        # Who was given a token to register with is expected, however late.
        days = settings.unused_days if settings.registration == "open" else 0
        self._unused_seconds = days * DAY
        self._clock = clock
        # A clock that is set forward is set back again: what was deleted meanwhile would be missed.
        self._is_off = settings.simulators
        self._done_at: float | None = None

    def look(self) -> None:
        """Do one batch of each, unless all was done less than an hour ago, or the clock is a simulated one."""
        now = self._clock()
        if self._is_off:
            return
        if self._done_at is not None and 0 <= now - self._done_at < PAUSE_SECONDS:
            return
        removed = self._clients.sweep(unused_seconds=self._unused_seconds, limit=CLIENTS_AT_ONCE)
        for client_id in removed:
            log.info("registration ended: client=%s", client_id)
        has_more = self._endings.purge()
        if not has_more and len(removed) < CLIENTS_AT_ONCE:
            self._done_at = now
