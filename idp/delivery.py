"""The delivery of letters: takes from the outbox what is due, hands it to whoever can send it, and tries again.

Promises: a letter is sent by one worker at a time; one that fails is tried again after 1 s, 5 s, 30 s and 5 minutes,
then given up and logged; a batch waits for its slowest receiver, and no other chore waits longer. Must not know: any
kind of letter.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from idp.records.outbox import Letter, OutboxRecords

log = logging.getLogger(__name__)

RETRY_SECONDS = (1, 5, 30, 300)
AT_ONCE = 8
SILENCE_SECONDS = 4.0
SENDING_SECONDS = 6.0
"""How long a receiver may stay silent, and take in all: nobody waits for it but the letters of its batch."""

Send = Callable[[Letter], None]


class DeliveryFailed(Exception):
    """A letter did not arrive; the message is for the log."""


class Delivery:
    """Delivers letters by the senders of their kinds."""

    def __init__(self, outbox: OutboxRecords, senders: Mapping[str, Send]) -> None:
        self._outbox = outbox
        self._senders = senders

    def deliver_due(self) -> None:
        """Send one batch of what is due; the next turn has the next, so that slow receivers hold up no other chore."""
        if self._outbox.has_due():
            letters = self._outbox.claim(limit=AT_ONCE)
            with ThreadPoolExecutor(AT_ONCE, "delivery") as pool:
                sent = [(letter, pool.submit(self._senders[letter.kind], letter)) for letter in letters]
            for letter, sending in sent:
                self._settle(letter, sending.exception())

    def _settle(self, letter: Letter, failure: BaseException | None) -> None:
        told = (letter.kind, letter.client_id, letter.attempts)
        if failure is None:
            self._outbox.remove(letter)
            log.info("delivered: kind=%s client=%s attempt=%s", *told)
        elif letter.attempts > len(RETRY_SECONDS):
            self._outbox.remove(letter)
            log.error("given up: kind=%s client=%s attempt=%s: %s", *told, failure, exc_info=unforeseen(failure))
        else:
            self._outbox.postpone(letter, seconds=RETRY_SECONDS[letter.attempts - 1])
            log.warning("not delivered: kind=%s client=%s attempt=%s: %s", *told, failure)


def unforeseen(failure: BaseException) -> BaseException | None:
    """The failure, if it is one that deserves a trace; None for one that was to be expected."""
    return None if isinstance(failure, DeliveryFailed) else failure
