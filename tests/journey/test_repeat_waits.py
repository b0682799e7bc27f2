"""Promise P1 over HTTP and MQTT with a standby that is away: neither the first nor a repeat of it is acknowledged."""

import contextlib
import threading

import httpx
from tests.journey.mqtt_client import V5, Raw
from tests.postgres.clusters import Cluster

CANCEL = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
FOLLOWING = "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'"
KEYED = {"id": "C", "x": 3}


def test_no_repeat_is_acknowledged_over_http_or_mqtt_while_the_standby_is_away(
    start_server, installation, own_data_dir
):
    primary = Cluster(installation(), synchronous_standby_names="standby")
    standby = Cluster(installation())
    standby.follow(primary)
    with contextlib.ExitStack() as stack:
        for cluster in (primary, standby):
            stack.callback(cluster.release)
            cluster.start()
        primary.wait_for(FOLLOWING)
        server = start_server(data_dir=own_data_dir, DATABASE_URL=primary.url)
        device = server.add_device()
        with httpx.Client(base_url=server.url, headers=server.bearer(device), timeout=60) as client:
            assert client.post("/api/v1/readings", json={"x": 0}).status_code == 200
            with Raw(server, V5) as link:
                link.sign_in(device)
                standby.stop()
                with every_wait_cancelled(primary):
                    answers = [client.post("/api/v1/readings", json=KEYED) for _ in range(3)]
                    link.post(f"releve/{device['name']}/readings", b'{"id": "C", "x": 3}')
                    is_silent = link.is_silent(3)
                standby.start()
                acknowledged = link.receive(60)
            repeat = client.post("/api/v1/readings", json=KEYED)
        primary.crash()
        standby.promote()
        rows = standby.rows("SELECT channels::jsonb->>'x' FROM fresh_reading ORDER BY time")

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert is_silent
    assert acknowledged is not None
    assert repeat.json()["duplicate"] is True
    assert rows == [("0",), ("3",)]


@contextlib.contextmanager
def every_wait_cancelled(cluster):
    """Cancel each wait for the standby, as an operator in a hurry does."""
    is_over = threading.Event()

    def cancel():
        while not is_over.wait(0.02):
            cluster.rows(CANCEL)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        yield
    finally:
        is_over.set()
        canceller.join()
