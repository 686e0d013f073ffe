"""A clock that stands still until a test moves it."""

from dataclasses import dataclass


@dataclass
class FakeClock:
    """Gives `now`, seconds since the epoch; by default a Monday in November 2026."""

    now: float = 1_795_420_800.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Move it on; back, if negative."""
        self.now += seconds
