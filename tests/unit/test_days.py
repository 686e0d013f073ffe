"""Days of Brussels: when they begin and end, in winter, in summer and on the days between."""

from datetime import UTC, date, datetime

import pytest

from idm.days import day_of, end_of


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_day_begins_at_midnight_in_brussels() -> None:
    assert day_of(seconds("2026-01-01T22:59:59")) == date(2026, 1, 1)
    assert day_of(seconds("2026-01-01T23:00:00")) == date(2026, 1, 2)
    assert day_of(seconds("2026-07-01T21:59:59")) == date(2026, 7, 1)
    assert day_of(seconds("2026-07-01T22:00:00")) == date(2026, 7, 2)


@pytest.mark.parametrize(
    ("day", "first_second_after"),
    [
        (date(2026, 1, 1), "2026-01-01T23:00:00"),
        (date(2026, 7, 1), "2026-07-01T22:00:00"),
        (date(2026, 3, 29), "2026-03-29T22:00:00"),
        (date(2026, 10, 25), "2026-10-25T23:00:00"),
    ],
)
def test_a_day_ends_with_its_last_second_also_when_the_clocks_change(day: date, first_second_after: str) -> None:
    assert end_of(day) == seconds(first_second_after)
    assert day_of(end_of(day) - 1) == day
    assert day_of(end_of(day)) > day


def test_the_last_day_of_the_calendar_has_an_end() -> None:
    assert day_of(end_of(date.max) - 1) == date.max
