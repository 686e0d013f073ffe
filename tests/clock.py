"""A clock that stands still until a test moves it."""

from dataclasses import dataclass


@dataclass
class FakeClock:
    """Gives `now`, seconds since the epoch; by default a Monday in November 2026. `ticks` go by at each look."""

    now: float = 1_795_420_800.0
    ticks: float = 0.0

    def __call__(self) -> float:
        self.now += self.ticks
        return self.now

    def advance(self, seconds: float) -> None:
        """Move it on; back, if negative."""
        self.now += seconds
