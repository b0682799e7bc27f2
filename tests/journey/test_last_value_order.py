"""What a car says last is told once the sample that it completes is stored, and not before."""

import psycopg
from tests.journey.mqtt_client import eventually, signed_in

from releve.protocol.mqtt.packet import Puback


def values_of(server, car):
    return dict(server.query("SELECT topic, payload FROM topic_value WHERE device_id = %s", car["id"]))


def writers_that_wait(server):
    return server.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name ~ 'writer'")


def test_a_value_is_told_only_once_the_sample_that_it_completes_is_stored(start_server):
    server = start_server("--workers", "1")  # so that both cars' values are written together
    car, other = (server.add_device("racing") for _ in range(2))
    with signed_in(server, car) as client, signed_in(server, other) as second:
        for quantity in ("race", "distance", "battery"):
            client.publish(f"esp32bis/{quantity}", b"1")
        with psycopg.connect(server.database_url) as paused:
            paused.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
            client.post("esp32bis/speed", b"12.5")
            assert eventually(lambda: writers_that_wait(server))

            second.publish("esp32bis/speed", b"3")  # has no sample to wait for

            assert values_of(server, other) == {"esp32bis/speed": "3"}
            assert sorted(values_of(server, car)) == ["esp32bis/battery", "esp32bis/distance", "esp32bis/race"]
        assert isinstance(client.receive(), Puback)

    assert values_of(server, car)["esp32bis/speed"] == "12.5"
