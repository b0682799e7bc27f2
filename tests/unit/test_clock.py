"""When was it? Every rule with a fixed present."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.protocol.clock import WRAP, Anchor, BadTimestamp, Rule, continues, implausible, place, resolve

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
SECOND = 1_000_000
FIRST, LAST = datetime(2001, 1, 1), datetime(2026, 5, 31)  # noqa: DTZ001 - naive, as devices write them
PARIS = ZoneInfo("Europe/Paris")


def us(*parts, zone=UTC):
    return int(datetime(*parts, tzinfo=zone).timestamp() * 1_000_000)


@pytest.mark.parametrize(
    ("sent", "zone", "instant", "rule"),
    [
        ("2026-06-01T11:59:58", UTC, us(2026, 6, 1, 11, 59, 58), Rule.NAIVE),
        ("2026-06-01T13:59:58", PARIS, us(2026, 6, 1, 11, 59, 58), Rule.NAIVE),
        ("2026-01-15T13:00:00.25", PARIS, us(2026, 1, 15, 12) + 250_000, Rule.NAIVE),
        ("2026-06-01 11:59:58", UTC, us(2026, 6, 1, 11, 59, 58), Rule.NAIVE),
        ("2026-06-01T11:59:58Z", PARIS, us(2026, 6, 1, 11, 59, 58), Rule.ZONED),
        ("2026-06-01T13:59:58+02:00", UTC, us(2026, 6, 1, 11, 59, 58), Rule.ZONED),
        (1_780_315_198, UTC, 1_780_315_198 * SECOND, Rule.EPOCH_S),
        (1_780_315_198.5, UTC, 1_780_315_198 * SECOND + 500_000, Rule.EPOCH_S),
        (1_780_315_198_123, UTC, 1_780_315_198_123_000, Rule.EPOCH_MS),
        (1_780_315_198_123_456, UTC, 1_780_315_198_123_456, Rule.EPOCH_US),
        (1_780_315_198_123_456_789, UTC, 1_780_315_198_123_456, Rule.EPOCH_NS),
        (None, PARIS, NOW_US, Rule.SERVER),
    ],
)
def test_a_timestamp_lands_at_its_instant_by_the_rule_of_its_form(sent, zone, instant, rule):
    resolved = resolve(sent, zone=zone, received_us=NOW_US)

    assert (resolved.time_us, resolved.rule) == (instant, rule)


@pytest.mark.parametrize(
    "sent",
    ["", "yesterday", "2026-06-01", "20260601T120000", "2026-13-01T00:00:00", "2026-06-01T25:00:00", -5, True, []],
)
def test_what_is_no_timestamp_is_refused(sent):
    with pytest.raises(BadTimestamp):
        resolve(sent, zone=UTC, received_us=NOW_US)


def test_a_clock_that_was_never_set_or_runs_a_day_ahead_is_implausible():
    assert "2000" in implausible(us(1970, 1, 1, 0, 0, 5), received_us=NOW_US)
    assert "ahead" in implausible(NOW_US + 86_401 * SECOND, received_us=NOW_US)
    assert implausible(NOW_US + 86_399 * SECOND, received_us=NOW_US) is None


def test_in_the_hour_that_clocks_repeat_a_time_is_never_in_the_future():
    first, second = us(2026, 10, 25, 0, 30), us(2026, 10, 25, 1, 30)

    during_first = resolve("2026-10-25T02:30:00", zone=PARIS, received_us=first + SECOND)
    during_second = resolve("2026-10-25T02:30:00", zone=PARIS, received_us=second + SECOND)

    assert (during_first.time_us, during_first.other_us) == (first, second)
    assert (during_second.time_us, during_second.other_us) == (second, first)
    assert during_first.follows_server


def test_a_first_uptime_is_read_as_now():
    instants, anchor = place([10_000], None, received_us=NOW_US)

    assert instants == [NOW_US]
    assert anchor == Anchor(NOW_US - 10 * SECOND, 10_000, NOW_US)


def test_a_delayed_uptime_keeps_its_distance_to_the_boot():
    _, anchor = place([10_000], None, received_us=NOW_US)

    instants, anchor = place([20_000], anchor, received_us=NOW_US + 25 * SECOND)

    assert instants == [NOW_US + 10 * SECOND]


def test_an_uptime_that_came_faster_moves_the_boot_earlier():
    _, anchor = place([10_000], None, received_us=NOW_US)

    instants, anchor = place([20_000], anchor, received_us=NOW_US + 9 * SECOND)

    assert instants == [NOW_US + 9 * SECOND]
    assert anchor.boot_us == NOW_US - 11 * SECOND


def test_an_uptime_that_falls_after_a_reboot_is_anchored_anew():
    _, anchor = place([600_000], None, received_us=NOW_US)

    instants, anchor = place([5_000], anchor, received_us=NOW_US + 8 * SECOND)

    assert instants == [NOW_US + 8 * SECOND]
    assert anchor.boot_us == NOW_US + 3 * SECOND


def test_an_uptime_that_falls_because_it_is_late_moves_nothing():
    _, anchor = place([600_000], None, received_us=NOW_US)

    instants, after = place([599_000], anchor, received_us=NOW_US + 2 * SECOND)

    assert instants == [NOW_US - SECOND]
    assert after == anchor


def test_an_uptime_that_wraps_goes_on():
    _, anchor = place([WRAP - 1_000], None, received_us=NOW_US)

    instants, anchor = place([500], anchor, received_us=NOW_US + 1_600_000)
    late, anchor = place([WRAP - 500], anchor, received_us=NOW_US + 1_700_000)
    more, anchor = place([2_500], anchor, received_us=NOW_US + 3_500_000)

    assert instants == [NOW_US + 1_500_000]
    assert late == [NOW_US + 500_000]
    assert more == [NOW_US + 3_500_000]


def test_a_wrap_is_found_again_after_days_of_silence():
    _, anchor = place([WRAP - 1_000], None, received_us=NOW_US)
    two_days_us = 2 * 86_400 * SECOND

    instants, _ = place([2 * 86_400_000], anchor, received_us=NOW_US + two_days_us + SECOND)

    assert instants == [NOW_US + two_days_us + SECOND]


def test_a_rising_uptime_after_an_hour_of_silence_that_allows_a_reboot_is_one():
    _, anchor = place([1_000], None, received_us=NOW_US)
    day_us = 86_400 * SECOND

    instants, _ = place([5_000], anchor, received_us=NOW_US + day_us)

    assert instants == [NOW_US + day_us]


def test_the_uptimes_of_one_submission_keep_their_distances_across_a_reboot():
    instants, anchor = place([1_000, 2_000, 3_000], None, received_us=NOW_US)
    assert instants == [NOW_US - 2 * SECOND, NOW_US - SECOND, NOW_US]

    instants, _ = place([50_000, 51_000, 500, 1_500], anchor, received_us=NOW_US + 60 * SECOND)

    assert instants == [NOW_US + 47 * SECOND, NOW_US + 48 * SECOND, NOW_US + 59 * SECOND, NOW_US + 60 * SECOND]


def test_an_uptime_as_large_as_epoch_seconds_is_known_by_the_anchor():
    boot_us = NOW_US - 1_780_000_000 * 1_000
    anchor = Anchor(boot_us, 1_780_000_000, NOW_US)

    assert continues(1_780_005_000, anchor, received_us=NOW_US + 5 * SECOND)
    assert not continues(1_990_000_000, anchor, received_us=NOW_US + 5 * SECOND)
    assert not continues(1_780_005_000, None, received_us=NOW_US)
    assert resolve(1_780_005_000, zone=UTC, received_us=NOW_US, counts_uptime=True).count == 1_780_005_000
    assert resolve(1_780_005_000, zone=UTC, received_us=NOW_US).count is None


@pytest.mark.parametrize("uptime_ms", [1_200_000_000, 4_294_966_000, WRAP - 1])
def test_a_board_that_was_on_for_weeks_is_understood_at_first_contact(uptime_ms):
    found = resolve(uptime_ms, zone=UTC, received_us=NOW_US, may_count_uptime=True)

    assert (found.rule, found.count, found.time_us) == (Rule.UPTIME, uptime_ms, NOW_US)


def test_a_number_that_is_about_now_is_an_epoch_to_a_contract_that_may_count():
    for seconds in (0, -86_400, -360 * 86_400, 86_000):
        number = NOW_US // SECOND + seconds

        assert resolve(number, zone=UTC, received_us=NOW_US, may_count_uptime=True).rule is Rule.EPOCH_S


def test_what_cannot_be_an_epoch_is_an_uptime_of_a_device_that_counts():
    assert resolve(WRAP - 1, zone=UTC, received_us=NOW_US, counts_uptime=True).rule is Rule.UPTIME
    assert resolve(WRAP - 1, zone=UTC, received_us=NOW_US).rule is Rule.EPOCH_S
    assert resolve(WRAP, zone=UTC, received_us=NOW_US, may_count_uptime=True).count is None


@given(
    delays_s=st.lists(st.floats(0, 3), min_size=2, max_size=30),
    start_ms=st.integers(0, WRAP - 1),
    step_ms=st.integers(100, 600_000),
)
def test_a_steady_device_keeps_its_rhythm_through_any_delay_and_any_wrap(delays_s, start_ms, step_ms):
    anchor = None
    instants = []
    for number, delay_s in enumerate(delays_s):
        elapsed_ms = number * step_ms
        received_us = NOW_US + elapsed_ms * 1000 + round(delay_s * SECOND)
        placed, anchor = place([(start_ms + elapsed_ms) % WRAP], anchor, received_us=received_us)
        instants += placed

    for number, instant in enumerate(instants):
        assert abs(instant - (NOW_US + number * step_ms * 1000)) <= 3 * SECOND


@given(st.datetimes(FIRST, LAST), st.timedeltas(timedelta(hours=-14), timedelta(hours=14)))
def test_a_zoned_timestamp_is_itself_in_any_zone(moment, offset):
    offset = timedelta(minutes=offset // timedelta(minutes=1))
    sign = "-" if offset < timedelta(0) else "+"
    minutes = abs(offset) // timedelta(minutes=1)
    text = f"{moment.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}"
    expected = (moment - offset).replace(tzinfo=UTC)

    resolved = resolve(text, zone=PARIS, received_us=NOW_US)

    assert resolved.time_us == (expected - EPOCH) // timedelta(microseconds=1)
