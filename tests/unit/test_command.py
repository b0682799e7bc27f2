"""What people may send to a device, and which field is wrong when they may not."""

import pytest

from releve.protocol import command
from releve.protocol.problem import BadReading

PLAIN = {"topic": "esp32bis/ajustments", "text": "left 10"}


@pytest.mark.parametrize("text", ["left 10", "", "é" * 1024, " two\nlines "])
def test_plain_text_goes_to_a_car_as_it_stands(text):
    wanted = command.of({**PLAIN, "text": text, "expires_s": 60}, contract="racing")

    assert (wanted.topic, wanted.body, wanted.expires_s) == ("esp32bis/ajustments", text, 60)


@pytest.mark.parametrize("body", [{"led": "on"}, [1], "go", 0, False])
def test_any_json_goes_to_any_device(body):
    assert command.of({"command": body}, contract="gym") == command.Command(body, None, 86_400)


@pytest.mark.parametrize(
    ("fields", "contract", "field"),
    [
        (PLAIN, "gym", "topic"),
        ({**PLAIN, "topic": "releve/car2/commands"}, "racing", "topic"),
        ({**PLAIN, "topic": "esp32bis/+"}, "racing", "topic"),
        ({**PLAIN, "topic": "esp32bis/" + "x" * 65}, "racing", "topic"),
        ({"text": "left"}, "racing", "topic"),
        ({"topic": "esp32bis/ajustments"}, "racing", "text"),
        ({**PLAIN, "text": 5}, "racing", "text"),
        ({**PLAIN, "text": "x" * 1025}, "racing", "text"),
        ({**PLAIN, "command": 1}, "racing", "command"),
        ({}, "racing", "command"),
        ({**PLAIN, "retain": True}, "racing", "retain"),
        ({**PLAIN, "expires_s": 0}, "racing", "expires_s"),
    ],
)
def test_what_may_not_be_sent_is_refused_with_its_field(fields, contract, field):
    with pytest.raises(BadReading) as refused:
        command.of(fields, contract=contract)

    assert refused.value.field == field
