"""What waits for a person: the CIBA requests about them, so that the page can show them.

Promises: a person sees their own alone; so few come in a minute that nobody can be drowned in them. Must not know: what
is asked.
"""

from itertools import takewhile

from idp.errors import AccessDenied
from idp.flows.ciba_requests import MOST_SECONDS
from idp.flows.polling import PolledRequest, Polling
from idp.provider import Provider
from idp.store import Ticket

PLACES = 10
"""Requests for one person that are taken in a minute."""
MINUTE = 60
MINUTES_BACK = MOST_SECONDS // MINUTE + 1


class Place(Ticket, frozen=True, kw_only=True):
    """One place in what waits for a person: its id is the person, the minute, and the number of the place."""

    polled: str


class Awaiting:
    """The requests that wait, by person."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._places = provider.store.repository(Place)
        self._polling = Polling(provider)

    def take_place(self, person_id: str, polled: str) -> None:
        """Let a request wait for the person; AccessDenied where too many came in this minute."""
        minute = self._provider.now() // MINUTE
        # All places of a minute end together, after the last request that can stand there: none is missing before one.
        ends_at = (minute + 1) * MINUTE + MOST_SECONDS
        ids = (place_id(person_id, minute, number=number) for number in range(PLACES))
        if not any(self._places.add(Place(id=id, expires_at=ends_at, polled=polled)) for id in ids):
            raise AccessDenied("Too many requests came for this person in a minute.")

    def of_person(self, person_id: str) -> list[PolledRequest]:
        """What waits for the person and is not decided yet, the newest first."""
        now = self._provider.now() // MINUTE
        places = [place for minute in range(now - MINUTES_BACK, now + 1) for place in self._of(person_id, minute)]
        found = (self._polling.open(place.polled) for place in places)
        return [one for one in found if one and one.person_id == person_id][::-1]

    def _of(self, person_id: str, minute: int) -> list[Place]:
        found = (self._places.get(place_id(person_id, minute, number=number)) for number in range(PLACES))
        return [place for place in takewhile(bool, found) if place]


def place_id(person_id: str, minute: int, *, number: int) -> str:
    """The id of a place."""
    return f"{person_id} {minute} {number}"
