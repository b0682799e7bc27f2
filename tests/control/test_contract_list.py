"""The list of contracts stands once, in the protocol: devices, the API and the command line take theirs from it."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from releve.cli.device import command
from releve.control.fleet.models import Device
from releve.protocol.contract import CONTRACTS, GENERIC


@pytest.fixture
def fourth(monkeypatch):
    monkeypatch.setitem(CONTRACTS, "tidal", GENERIC)
    return "tidal"


def device_of(team, contract):
    return Device(team=team, name="buoy-1", contract=contract, timezone="UTC", secret_hash="0" * 64)


def test_the_api_and_the_command_line_take_every_contract_that_the_protocol_reads(alice, signed_in):
    (add,) = [parameter for parameter in command.commands["add"].params if parameter.name == "contract"]
    assert list(add.type.choices) == list(CONTRACTS)

    for number, contract in enumerate(CONTRACTS):
        answer = signed_in(alice).post("/api/v1/devices", {"name": f"device-{number}", "contract": contract})
        assert (answer.status_code, answer.json()["contract"]) == (201, contract)


def test_a_contract_that_is_added_to_the_list_is_one_that_a_device_may_speak(team, fourth):
    device_of(team, fourth).full_clean()

    with pytest.raises(ValidationError, match="nonsense"):
        device_of(team, "nonsense").full_clean()


@pytest.mark.django_db
def test_a_contract_that_is_added_to_the_list_needs_no_migration(fourth, capsys):
    call_command("makemigrations", "--check", "--dry-run")

    assert "No changes" in capsys.readouterr().out
