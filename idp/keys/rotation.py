"""Timed rotation: a key that has signed long enough gets its successor, without anybody's doing.

Promises: looks once a minute at most, and tells the log of each key made. Must not know: where keys are kept, or how
several workers agree (the keyring's records see to that).
"""

import logging

from idp.keys.keyring import Keyring
from idp.store import Clock

log = logging.getLogger(__name__)

DAY = 86400
LOOK_SECONDS = 60


class Rotation:
    """Looks after the age of the keys."""

    def __init__(self, keyring: Keyring, clock: Clock, *, days: int) -> None:
        self._keyring = keyring
        self._clock = clock
        self._seconds = days * DAY
        self._looked_at: float | None = None

    def look(self) -> None:
        """Announce what is due."""
        now = self._clock()
        if self._looked_at is not None and 0 <= now - self._looked_at < LOOK_SECONDS:
            return
        while key := self._keyring.rotate_due(seconds=self._seconds):
            log.info("announced: kid=%s alg=%s", key.kid, key.alg)
        self._looked_at = now
