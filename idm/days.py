"""Days of Europe/Brussels: when a day of IDM begins and ends on the clock.

Promises: a last day counts until its last second there, also across a change of summer time. Must not know: what time
it is; seconds since the epoch are handed in.
"""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

_BRUSSELS = ZoneInfo("Europe/Brussels")


def day_of(seconds: float) -> date:
    """The day in Brussels at that moment."""
    return datetime.fromtimestamp(seconds, _BRUSSELS).date()


def end_of(day: date) -> int:
    """The first second after that day in Brussels."""
    # Counted from the last second, not the next midnight: the KBO writes "open" as 9999-12-31, which has no next day.
    return int(datetime.combine(day, time(23, 59, 59), _BRUSSELS).timestamp()) + 1
