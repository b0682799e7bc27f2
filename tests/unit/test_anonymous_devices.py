"""The list of client ids that are devices without credentials is read once, and a bad one is told at the start."""

import pytest

from releve.settings import BadSetting, Settings


def chosen(text):
    return Settings.from_environment({"RELEVE_ANONYMOUS_DEVICES": text}).devices_by_client_id


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("", {}),
        ("ESP32ClientBis=car1", {"ESP32ClientBis": "car1"}),
        (" a=b=car1 ,pi=raspberry1, ", {"a=b": "car1", "pi": "raspberry1"}),
    ],
)
def test_each_client_id_is_one_device(text, devices):
    assert chosen(text) == devices


@pytest.mark.parametrize("text", ["ESP32ClientBis", "=car1", "ESP32ClientBis=", "a=car1,a=car2"])
def test_what_is_no_list_of_pairs_is_told_at_the_start(text):
    with pytest.raises(BadSetting, match="RELEVE_ANONYMOUS_DEVICES"):
        chosen(text)
