"""A name that is unknown costs what a known one costs: the work is counted, because time is noisy."""

import pytest

from releve.control.accounts import credentials
from releve.control.fleet.services import register_device
from releve.protocol.secret import Secret


class CountingTurns:
    """Stands in for the semaphore and counts slow hashes."""

    def __init__(self):
        self.turns = 0

    def acquire(self, *, blocking):
        assert not blocking  # a thread that waits is one that answers nobody
        self.turns += 1
        return True

    def release(self):
        pass


@pytest.fixture
def argon2(monkeypatch):
    counting = CountingTurns()
    monkeypatch.setattr(credentials, "_argon2", counting)
    return counting


@pytest.mark.parametrize(
    ("name", "slow_hashes"),
    [
        ("alice@example.com", 1),
        ("nobody@example.com", 1),
        ("iot_device@example.com", 1),
        ("own-device@example.com", 1),
        ("raspberry1", 0),
        ("nobody", 0),
    ],
)
def test_a_refusal_costs_what_the_look_of_the_name_makes_expect(api, alice, device, argon2, name, slow_hashes):
    register_device(team=device.team, name="iot_device@example.com", secret=Secret("a device's own secret"))

    answer = api.post("/api/token/", {"username": name, "password": "wrong"})

    assert answer.status_code == 401
    assert argon2.turns == slow_hashes


def test_no_more_than_two_slow_hashes_at_once():
    with credentials.argon2_turn(), credentials.argon2_turn(), pytest.raises(credentials.Busy):
        credentials.argon2_turn().__enter__()
