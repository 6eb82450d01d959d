"""The time that is left for an approval."""

from datetime import UTC, datetime, timedelta

from m3cred_tui.model.authorization import TIME_LIMIT, Countdown

BEGUN = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def test_a_clock_that_is_set_back_gives_no_more_time_and_one_that_slept_takes_it() -> None:
    times = [BEGUN + timedelta(minutes=at) for at in (0, 1, -60, -58, -40)]
    countdown = Countdown(BEGUN + TIME_LIMIT, iter(times).__next__)
    left = [countdown.left() for _ in times[1:]]
    assert [one // timedelta(minutes=1) for one in left] == [9, 9, 7, 0]


def test_a_request_resumed_after_the_clock_was_set_back_has_no_more_than_the_limit() -> None:
    countdown = Countdown(BEGUN + TIME_LIMIT, lambda: BEGUN - timedelta(hours=1))
    assert countdown.left() == TIME_LIMIT
