"""The clock of a whole simulated system: the real time, moved by a number of days.

Promises: one answer to all threads; never farther than ten years off. Must not know: who asks, or why it was moved.
"""

from idp.store import Clock

FARTHEST_DAYS = 3660
DAY_SECONDS = 86400


class SimulatedClock:
    """Callable as a clock; `offset_days` tells how far it stands from the real one."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._offset_days = 0

    def __call__(self) -> float:
        """Seconds since the epoch, moved."""
        return self._real() + self.offset_days * DAY_SECONDS

    @property
    def offset_days(self) -> int:
        """How many days this clock is ahead of the real one."""
        return self._offset_days

    def set_offset_days(self, days: int) -> None:
        """Move the clock this far from the real one; ValueError beyond ten years."""
        if abs(days) > FARTHEST_DAYS:
            raise ValueError(f"at most {FARTHEST_DAYS} days from the real time")
        self._offset_days = days
