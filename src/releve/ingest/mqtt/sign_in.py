"""Whose CONNECT is this? A client certificate, a device's name and secret, or a token as the password."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec
import structlog

from releve.access.authenticate import Authenticator
from releve.protocol import token as tokens
from releve.protocol.claim import claim_code, claimed_device
from releve.protocol.mqtt.packet import Connect
from releve.protocol.mqtt.reason import Reason
from releve.protocol.problem import Unauthenticated, Unavailable
from releve.protocol.secret import Secret
from releve.protocol.sender import Sender
from releve.protocol.token import Keyring, TokenInvalid, TokenType, looks_like_token
from releve.storage.device_door import DeviceDoor
from releve.storage.device_row import sender_of
from releve.storage.link_store import LinkStore, Row
from releve.storage.pool import Pool

AWAITS_EDITOR = "an editor must accept this certificate for the device, on its page"
NAMES_NO_DEVICE = "no device signs in with this certificate: give a device's claim code as the user name"
NOBODYS_HASH = "0" * 64
AGENT = "mqtt"  # what the audit has in place of a browser's name
TRANSPORT = MappingProxyType({"transport": "mqtt"})
_log = structlog.get_logger()


class Refused(Exception):
    """The client is not let in."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


class Peer(msgspec.Struct, frozen=True):
    """The other end of a connection: its address, and fingerprint and subject of its certificate if it showed one."""

    address: str
    fingerprint: str = ""
    subject: str = ""


class Proof(msgspec.Struct, frozen=True):
    """By what a client was let in, so that it can be asked again whether that still holds."""

    token: str = ""
    secret_hash: str = ""
    fingerprint: str = ""
    client_id: str = ""


class SignIn:
    """Checks credentials at CONNECT, and again whenever the revocation feed says that something changed.

    Args:
        authenticator: Knows access tokens.
        pool: Finds the principals of MQTT tokens.
        store: Finds devices and keeps the audit.
        door: Counts failures, as of every sign-in of devices.
        keyring: Verifies MQTT tokens.
        pepper: The key of the hashes of device secrets.
        anonymous_devices: Which device a client without credentials is, by its client id.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        pool: Pool,
        store: LinkStore,
        door: DeviceDoor,
        *,
        keyring: Keyring,
        pepper: bytes,
        anonymous_devices: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._authenticator = authenticator
        self._pool = pool
        self._store = store
        self._keyring = keyring
        self._pepper = pepper
        self._door = door
        self._anonymous_devices = anonymous_devices

    async def check(self, connect: Connect, peer: Peer) -> tuple[Sender, Proof]:
        """The principal of a CONNECT, and by what it was recognised.

        Raises:
            Refused: It is nobody, or must wait.
            Unavailable: The database does not answer.
        """
        if self._authenticator.feed.is_cut:
            raise Unavailable
        password = _text(connect.password)
        if looks_like_token(password):
            proof = Proof(token=password)
            sender = await self.again(proof)
        elif not connect.password and peer.fingerprint:
            return await self._by_certificate(connect, peer)
        elif connect.username and password:
            return await self._by_secret(connect.username, password, peer)
        elif not connect.username and not connect.password and connect.client_id in self._anonymous_devices:
            return await self._by_client_id(connect.client_id, peer)
        else:
            raise Refused(Reason.NOT_AUTHORIZED, "no user name and password were given")
        if sender is None:
            raise Refused(Reason.BAD_USER_NAME_OR_PASSWORD, "the credential is not valid")
        return sender, proof

    async def again(self, proof: Proof, device_id: int | None = None) -> Sender | None:
        """The principal as it is now, None when the proof no longer holds.

        Raises:
            Unavailable: The database does not answer.
        """
        if proof.token:
            return await self._by_token(proof.token)
        if proof.client_id:
            row = await self._named(proof.client_id)
        elif proof.fingerprint:
            row = await self._store.device_by_certificate(proof.fingerprint)
        else:
            row = await self._store.device_by_id(device_id or 0)
            if row is not None and row["secret_hash"] != proof.secret_hash:
                return None
        return sender_of(row) if row is not None and row["is_enabled"] else None

    async def _by_certificate(self, connect: Connect, peer: Peer) -> tuple[Sender, Proof]:
        """The device that the certificate is, or that its holder names by a claim code and an editor has accepted."""
        named = await self._claimed(connect.username or "")
        row = await self._store.device_by_certificate(peer.fingerprint)
        if row is None or (named is not None and named != row["id"]):
            row = await self._shown(peer, named)
        if not row["is_enabled"]:
            raise Refused(Reason.BAD_USER_NAME_OR_PASSWORD, "the credential is not valid")
        await self._audit("signed-in", device_id=row["id"], team_id=row["team_id"], address=peer.address)
        return sender_of(row), Proof(fingerprint=peer.fingerprint)

    async def _claimed(self, username: str) -> int | None:
        """The device whose claim code it is."""
        device_id = claimed_device(username)
        row = None if device_id is None else await self._store.device_by_id(device_id)
        if row is None:
            return None
        code = claim_code(device_id=row["id"], team_id=row["team_id"], added_us=row["added_us"], pepper=self._pepper)
        return row["id"] if hmac.compare_digest(code, username) else None

    async def _shown(self, peer: Peer, named: int | None) -> Row:
        """Keep for an editor that the certificate was shown; the device's row where one has accepted it.

        Raises:
            Refused: It waits for an editor, or named no device.
        """
        state = await self._store.show_certificate(
            peer.fingerprint, device_id=named, subject=peer.subject, address=peer.address
        )
        row = await self._store.device_by_certificate(peer.fingerprint) if state in ("held", "bound") else None
        if row is not None:
            return row
        why = NAMES_NO_DEVICE if named is None else AWAITS_EDITOR
        if state != "known":
            seen = {"fingerprint": peer.fingerprint, "subject": peer.subject, "address": peer.address}
            _log.warning("mqtt certificate refused", device=named, error=why, **seen)
        raise Refused(Reason.BAD_USER_NAME_OR_PASSWORD, why)

    async def _by_client_id(self, client_id: str, peer: Peer) -> tuple[Sender, Proof]:
        """A client without credentials, on a network whose owner says that its client id is proof enough."""
        row = await self._named(client_id)
        if row is None or not row["is_enabled"]:
            device = self._anonymous_devices[client_id]
            why = "there is no such device" if row is None else "the device is disabled"
            _log.warning("anonymous device refused", client_id=client_id, device=device, error=why)
            raise Refused(Reason.NOT_AUTHORIZED, f"RELEVE_ANONYMOUS_DEVICES makes it {device}: {why}")
        await self._audit("signed-in", device_id=row["id"], team_id=row["team_id"], address=peer.address)
        return sender_of(row), Proof(client_id=client_id)

    async def _named(self, client_id: str) -> Row | None:
        owner = await self._store.owner_of(self._anonymous_devices.get(client_id, ""))
        return None if owner is None else await self._store.device_by_id(owner["id"])

    async def _by_token(self, token: str) -> Sender | None:
        """By a device's access token, or by one made for MQTT alone: a person's access token opens the API only."""
        try:
            sender = await self._authenticator.sender(token)
        except Unauthenticated:
            pass  # not an access token: perhaps one made for MQTT alone
        else:
            return sender if sender.is_device else None
        try:
            claims = tokens.read(token, TokenType.MQTT, datetime.now(UTC), self._keyring)
        except TokenInvalid:
            return None
        find = self._pool.device if claims.principal.is_device else self._pool.person
        return await find(claims.principal.id, sign_in=claims.sign_in, expires_s=claims.expires_at.timestamp())

    async def _by_secret(self, name: str, secret: str, peer: Peer) -> tuple[Sender, Proof]:
        row = await self._store.device_named(name, address=peer.address)
        if row["is_blocked"]:
            raise Refused(Reason.CONNECTION_RATE_EXCEEDED, "too many failed sign-ins; wait and try again")
        kept = row["secret_hash"] or NOBODYS_HASH
        is_match = Secret(secret).matches(kept, self._pepper)
        if not (is_match and row["secret_hash"] and row["is_enabled"]):
            await self._door.failed(name, address=peer.address, agent=AGENT, detail=TRANSPORT)
            _log.info("mqtt sign-in failed", device=row["id"], address=peer.address)
            raise Refused(Reason.BAD_USER_NAME_OR_PASSWORD, "the credential is not valid")
        await self._door.succeeded(name, address=peer.address)
        await self._audit("signed-in", device_id=row["id"], team_id=row["team_id"], address=peer.address)
        return sender_of(row), Proof(secret_hash=row["secret_hash"])

    async def _audit(self, kind: str, *, device_id: int | None, team_id: int | None, address: str) -> None:
        subject = {"device": device_id, "team": team_id}
        await self._store.audit(kind, address=address, subject=subject, detail=TRANSPORT)


def _text(password: bytes | None) -> str:
    try:
        return (password or b"").decode("utf-8")[: tokens.TOKEN_LIMIT + 1]
    except UnicodeDecodeError:
        return ""
