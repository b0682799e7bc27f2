"""What simulated devices measure: as the contracts take it, and as such devices would."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from releve.cli.simulate import KINDS
from releve.cli.simulation.gym import Machine
from releve.cli.simulation.racing import LAP_M, LAPS_PER_RACE, QUANTITIES, Car
from releve.cli.simulation.tally import Tally
from releve.protocol.contract import CONTRACTS
from releve.protocol.contract.racing import Assembler
from releve.protocol.topic import Purpose, route

BEGIN = datetime(2026, 6, 1, 12, tzinfo=UTC)
JSON = ("gym", "profilometre")


def every(step_s: float, count: int) -> list[datetime]:
    return [BEGIN + timedelta(seconds=step_s * number) for number in range(count)]


@pytest.mark.parametrize("kind", JSON)
def test_every_measurement_is_one_that_its_contract_reads(kind):
    instrument = KINDS[kind].instrument(1)

    for at in every(0.7, 300):
        draft = CONTRACTS[kind].read(instrument.measure(at), False)

        assert draft.sent is not None


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_is_on_a_topic_of_its_own_device(kind):
    played = KINDS[kind]
    messages = [*played.messages("simulator-1", played.instrument(1).measure(BEGIN)), *played.farewell]

    assert all(route(topic, device="simulator-1") for topic, _ in messages)


def test_the_messages_of_a_car_are_one_reading_with_all_that_was_measured():
    car, assembler = KINDS["racing"], Assembler()
    driving = car.instrument(1)

    for at in every(0.7, 300):
        measured = driving.measure(at)
        messages = [(route(topic, device="car"), text) for topic, text in car.messages("car", measured)]
        readings = [assembler.take(where.quantity, text.encode()) for where, text in messages]

        assert {where.purpose for where, _ in messages} == {Purpose.RACING}
        assert readings == [None] * 4 + [{name: measured[name] for name in QUANTITIES}]


@pytest.mark.parametrize("kind", KINDS)
def test_two_devices_differ_and_one_is_repeatable(kind):
    first, again, other = (KINDS[kind].instrument(number) for number in (1, 1, 2))

    measured = [[instrument.measure(at) for at in every(0.5, 20)] for instrument in (first, again, other)]

    assert measured[0] == measured[1]
    assert measured[0] != measured[2]


def test_a_machine_counts_up_through_a_series_rests_and_begins_again():
    machine = Machine(1)
    measured = [machine.measure(at) for at in every(0.5, 600)]

    repetitions = [each["repetitions"] for each in measured]
    falls = [after for before, after in pairwise(repetitions) if after < before]

    assert len(falls) >= 3
    assert set(falls) == {0}
    assert 8 <= max(repetitions) <= 15
    assert max(each["rest_time"] for each in measured) >= 15


def test_a_car_drives_on_empties_its_battery_and_races_again():
    car = Car(1)
    channels = [car.measure(at) for at in every(0.5, 800)]

    first = channels[0]["race"]
    assert len({each["race"] for each in channels}) >= 2
    assert max(each["distance"] for each in channels) <= LAP_M * LAPS_PER_RACE
    assert all(0 < each["speed"] < 12 for each in channels)
    first_race = [each["battery"] for each in channels if each["race"] == first]
    assert first_race == sorted(first_race, reverse=True)


def test_two_cars_and_two_simulations_never_drive_the_same_race():
    begins = (BEGIN, BEGIN + timedelta(seconds=1))

    races = [Car(number).measure(at)["race"] for number in (1, 2, 999) for at in begins]

    assert len(set(races)) == len(races)
    assert all(2**40 < race < 2**53 for race in races)


def test_the_latency_of_a_share_is_the_one_that_it_keeps_below():
    tally = Tally()
    tally.latencies_s.extend(number / 1000 for number in range(1, 101))

    assert (tally.percentile_ms(0.5), tally.percentile_ms(0.99)) == (51.0, 100.0)
    assert Tally().percentile_ms(0.5) is None
