"""Builds a worker's MQTT endpoint from the settings, listens, and ends it in the right order."""

import pathlib
from asyncio import AbstractServer  # noqa: TC003 - as all of ours, it is not worth a block of its own
from uuid import uuid4

from releve.access.authenticate import Authenticator
from releve.access.compose import device_door
from releve.ingest.mqtt import transport
from releve.ingest.mqtt.endpoint import Endpoint
from releve.ingest.mqtt.sign_in import SignIn
from releve.ingest.path import Path
from releve.protocol.mqtt.limits import Limits
from releve.protocol.token import Keyring
from releve.settings import Settings
from releve.storage import keys
from releve.storage.link_store import LinkStore
from releve.storage.pool import Pool


class MqttServer:
    """The endpoint of one worker with its listening sockets.

    Attributes:
        endpoint: The links.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        authenticator: Authenticator,
        path: Path,
        pool: Pool,
        keyring: Keyring,
    ) -> None:
        self._settings = settings
        store = LinkStore(pool, worker=uuid4())
        sign_in = SignIn(
            authenticator,
            pool,
            store,
            device_door(settings, pool),
            keyring=keyring,
            pepper=keys.pepper(settings.data_dir),
            anonymous_devices=settings.devices_by_client_id,
        )
        self.endpoint = Endpoint(
            authenticator,
            path,
            store,
            sign_in,
            limits=_limits(settings),
            batch_limit=settings.batch_limit,
            most_links=settings.mqtt_links,
        )
        self._servers: list[AbstractServer] = []

    async def start(self) -> None:
        """Listen on the plain port, and on the TLS port where there is a certificate."""
        settings = self._settings
        if settings.mqtt_port is not None:
            listener = transport.listening(settings.mqtt_host, settings.mqtt_port)
            self._servers.append(await transport.serve(self.endpoint, listener))
        if settings.mqtt_certificate:
            context = transport.tls_context(
                pathlib.Path(settings.mqtt_certificate),
                pathlib.Path(settings.mqtt_key or settings.mqtt_certificate),
                client_ca=pathlib.Path(settings.mqtt_client_ca) if settings.mqtt_client_ca else None,
            )
            listener = transport.listening(settings.mqtt_tls_host or settings.host, settings.mqtt_tls_port)
            self._servers.append(await transport.serve(self.endpoint, listener, context=context))

    def refuse_new(self) -> None:
        """Let nobody in any more; links that stand get the verdicts of what they sent."""
        for server in self._servers:
            server.close()
        self.endpoint.refuse_new()

    async def stop(self) -> None:
        """Acknowledge what was committed and close every link."""
        self.refuse_new()
        await self.endpoint.stop()


def _limits(settings: Settings) -> Limits:
    return Limits(
        connect_timeout_s=settings.mqtt_connect_timeout_s,
        maximum_packet_size=settings.mqtt_packet_limit_bytes,
        maximum_keep_alive_s=settings.mqtt_keep_alive_s,
        keeps_retained=False,
    )
