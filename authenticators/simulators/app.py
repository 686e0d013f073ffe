"""The simulated app: the codes (TOTP) that the invented people's phones show now.

Promises: the codes come from the seeds by the clock handed in, as a real app would make them. Must not know: the key.
"""

from collections.abc import Iterable

import pyotp

from authenticators.simulators.personas import DemoPerson
from idp.store import Clock

STEP_SECONDS = 30


class SimulatedApp:
    """The apps of everyone who has a seed."""

    def __init__(self, people: Iterable[DemoPerson], clock: Clock) -> None:
        self._people = [person for person in people if person.totp_secret and "totp" in person.keys]
        self._clock = clock

    def codes(self) -> list[dict[str, str | int]]:
        """For each person: name, number, the present code, and how many seconds it stays."""
        now = int(self._clock())
        left = STEP_SECONDS - now % STEP_SECONDS
        return [
            {
                "name": person.name,
                "number": person.national_number,
                "code": pyotp.TOTP(person.totp_secret).at(now),
                "seconds_left": left,
            }
            for person in self._people
        ]
