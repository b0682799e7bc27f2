"""What senders are told, over HTTP and MQTT, when what they sent may not be what they meant."""

import httpx
from tests.journey.mqtt_client import V3, eventually, signed_in

READINGS = "/api/v1/readings"


def post(server, sender, document, **headers):
    answer = httpx.post(f"{server.url}{READINGS}", json=document, headers={**sender, **headers})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_message_id_that_comes_again_with_other_content_is_stored_and_warned_about(server):
    sender = server.bearer(server.add_device())

    first = post(server, sender, {"id": 1, "temperature": 20.0})
    second = post(server, sender, {"id": 1, "temperature": 35.0})
    again = post(server, sender, {"id": 1, "temperature": 35.0})

    assert (first["outcome"], first["duplicate"], "warnings" in first) == ("stored", False, False)
    assert (second["outcome"], second["duplicate"]) == ("stored", False)
    assert [warning["field"] for warning in second["warnings"]] == ["id"]
    assert (again["outcome"], again["duplicate"], "warnings" in again) == ("duplicate", True, False)


def test_over_mqtt_such_readings_are_both_stored(server):
    device = server.add_device()
    with signed_in(server, device, V3) as client:
        for payload in (b'{"id": 1, "t": 20}', b'{"id": 1, "t": 35}', b'{"id": 1, "t": 35}'):
            client.post(f"releve/{device['name']}/readings", payload, qos=1)
            assert client.receive().reason == 0

    assert eventually(
        lambda: (
            server.query(
                "SELECT channels::jsonb->>'t' FROM fresh_reading WHERE device_id = %s ORDER BY 1", device["id"]
            )
            == [("20",), ("35",)]
        )
    )


def test_text_in_a_channel_of_numbers_is_a_number_or_flagged_on_every_worker(server):
    device = server.add_device()
    sender = server.bearer(device)
    post(server, sender, {"time": "2026-06-01T12:00:00Z", "speed": 11.5})

    numeral = post(server, sender, {"time": "2026-06-01T12:00:01Z", "speed": "12,5"})
    text = post(server, sender, {"time": "2026-06-01T12:00:02Z", "speed": "fast"})

    assert "warnings" not in numeral
    assert [warning["field"] for warning in text["warnings"]] == ["speed"]
    assert server.query(
        "SELECT channels::jsonb->>'speed' FROM fresh_reading WHERE device_id = %s ORDER BY time", device["id"]
    ) == [
        ("11.5",),
        ("12.5",),
        ("fast",),
    ]


def test_long_ago_is_quarantined_and_the_field_is_called_as_it_was_sent(server):
    sender = server.bearer(server.add_device())

    live = post(server, sender, {"time": "2001-06-01T12:00:00Z", "speed": 1})
    imported = post(server, sender, {"time": "2001-06-01T12:00:00Z", "speed": 1}, **{"Releve-Imported": "1"})
    never_set = post(server, sender, {"timestamp": 946_684_805, "speed": 1})

    assert (live["outcome"], live["field"]) == ("quarantined", "time")
    assert imported["outcome"] == "stored"
    assert (never_set["outcome"], never_set["field"]) == ("quarantined", "timestamp")
