"""AWS IoT Core's other way in: its HTTPS rule action, at `/api/v1/bridge/aws-iot`, and the handshake before it.

AWS asks first whether the address is ours: the operator confirms, with the link that is kept here. Nothing is ever
fetched from an address that a stranger sent. Rule SQL such as `SELECT *, topic(2) AS device, timestamp() AS time` names
the device; `topic` and `contract` may stand beside it.
"""

import hmac
import pathlib
import re
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import uuid4

import msgspec
import structlog

from releve.access.authenticate import Authenticator
from releve.http.answer import answer
from releve.http.request import Request, Send
from releve.ingest.bridge import credential
from releve.ingest.bridge.config import RuleAction
from releve.ingest.bridge.device import Devices, NoTeam
from releve.ingest.bridge.intake import NAME_LIMIT, TRANSPORT, Intake, Letter, encode
from releve.ingest.path import Path
from releve.ingest.verdict import spelt_all
from releve.protocol import strict_json
from releve.protocol.contract import CONTRACTS
from releve.protocol.decode import Arrival
from releve.protocol.instant import iso
from releve.protocol.problem import (
    BadReading,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from releve.storage.pool import Pool

PATH = "/api/v1/bridge/aws-iot"
CONFIRMATIONS = "run/aws-iot"  # in the data directory
KIND = b"x-amz-rules-engine-message-type"
CONFIRMATION = b"DestinationConfirmation"
CONFIRMATION_BYTES = 16_384
MOST_CONFIRMATIONS = 200
CONFIRMATION_STAYS_S = (
    3600.0  # so long no other pushes it out: anybody can post some, and the operator has to see his own
)
ADMIN = "admin"
NO_TOKEN = "the bridge's token is missing or wrong; send it as `Authorization: Bearer TOKEN`"  # noqa: S105 - a message
_AMAZON = re.compile(r"https://iot\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/confirmdestination/[\w.~%=+/-]{1,4096}", re.ASCII)
_DESTINATION = re.compile(r"arn:aws[a-z-]*:iot:[a-z0-9-]+:\d{12}:ruledestination/http/[\w-]{1,128}", re.ASCII)
_log = structlog.get_logger()


class Confirmation(msgspec.Struct, frozen=True):
    """What AWS asked: whoever opens the link, or passes the token on, says that the address is ours."""

    arn: str
    confirmation_token: str
    enable_url: str
    received: str


class Confirmations:
    """The last questions of AWS, one file each, for the operator to answer."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def keep(self, confirmation: Confirmation) -> None:
        """Keep one; where there are too many the oldest goes, unless it came within the hour.

        Raises:
            Throttled: All that are kept came within the hour.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{sha256(confirmation.arn.encode()).hexdigest()}.json"
        kept = self._paths()
        if len(kept) >= MOST_CONFIRMATIONS and path not in kept:
            if time.time() - kept[-1].stat().st_mtime < CONFIRMATION_STAYS_S:
                raise Throttled("too many confirmations within an hour; have AWS IoT send it again later")
            kept[-1].unlink(missing_ok=True)
        draft = path.with_suffix(f".{uuid4().hex}")
        draft.touch(mode=0o600)
        draft.write_bytes(encode(confirmation))
        draft.replace(path)

    def all(self) -> list[Confirmation]:
        """Every one that is kept, the newest first."""
        return [msgspec.json.decode(path.read_bytes(), type=Confirmation) for path in self._paths()]

    def _paths(self) -> list[pathlib.Path]:
        return sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


class _Action(msgspec.Struct, frozen=True):
    token: bytes
    intake: Intake


class RuleActionRoutes:
    """Answers AWS IoT's rule actions.

    Args:
        actions: As configured.
        authenticator: Knows the people who may see what is to be confirmed, and the revocation feed.
        pool: Finds devices.
        path: Takes readings to the disk.
        confirmations: Keeps what is to be confirmed.
        batch_limit: Most readings in one request.

    Raises:
        BadConfig: A token cannot be read.
    """

    def __init__(
        self,
        actions: Sequence[RuleAction],
        *,
        authenticator: Authenticator,
        pool: Pool,
        path: Path,
        confirmations: Confirmations,
        batch_limit: int,
    ) -> None:
        self._authenticator = authenticator
        self._confirmations = confirmations
        self._path = path
        self._actions = []
        for action in actions:
            devices = Devices(pool, team=action.team, own_name=f"bridge:{action.name}")
            authenticator.on_revoked(devices.forget)
            intake = Intake(devices, authenticator.feed, path, batch_limit=batch_limit)
            self._actions.append(_Action(credential.token(action).encode(), intake))
        self.handlers = {PATH: self.aws_iot}

    async def aws_iot(self, request: Request, send: Send) -> None:
        """GET for the operator, POST for AWS."""
        if request.method == "GET":
            await self._list(request, send)
        elif request.method != "POST":
            raise MethodNotAllowed(f"{PATH} takes GET and POST")
        elif request.headers.get(KIND) == CONFIRMATION:
            self._refuse_unconfigured()
            await self._confirm(request, send)
        else:
            await self._take(request, send)

    def _refuse_unconfigured(self) -> None:
        if not self._actions:
            raise NotFound("no rule action is configured here; see RELEVE_BRIDGE_CONFIG")

    async def _list(self, request: Request, send: Send) -> None:
        token = request.token()
        if token is None:
            raise Unauthenticated
        sender = await self._authenticator.sender(token)
        self._refuse_unconfigured()
        if not any([sender.roles.get(await _team(action.intake.devices)) == ADMIN for action in self._actions]):
            raise Forbidden("an administrator of a rule action's team may see what AWS asks")
        await answer(send, 200, {"confirmations": self._confirmations.all()})

    async def _confirm(self, request: Request, send: Send) -> None:
        body = await request.strangers_body()
        if len(body) > CONFIRMATION_BYTES:
            raise TooLarge("a confirmation is shorter than that")
        confirmation = _confirmation(body)
        self._confirmations.keep(confirmation)
        _log.warning(
            "AWS IoT asks to confirm a destination; if it is yours, see `releve bridge --confirmations`",
            arn=confirmation.arn,
        )
        await answer(send, 200, {"message": "kept for the operator to confirm"})

    async def _take(self, request: Request, send: Send) -> None:
        if request.token() is None:
            raise Unauthenticated(NO_TOKEN)
        self._refuse_unconfigured()
        with self._path.timed("authenticate"):
            intake = self._intake_of(request)
            await _ready(intake.devices)
        letter = Letter(PATH, await request.body(), Arrival(time.time_ns() // 1000, TRANSPORT))
        receipts = await self._path.keep(await intake.read_each(letter, _named))
        with self._path.timed("answer"):
            await answer(send, 200, msgspec.Raw(spelt_all(receipts)))

    def _intake_of(self, request: Request) -> Intake:
        token = (request.token() or "").encode("utf-8", "replace")
        for action in self._actions:
            if hmac.compare_digest(action.token, token):
                return action.intake
        raise Unauthenticated(NO_TOKEN)


def _named(letter: Letter) -> tuple[Letter, str]:
    """What the rule's SQL says beside the reading: its device, and perhaps its topic and contract."""
    fields: Any = strict_json.decode(letter.payload)
    if type(fields) is not dict:
        raise BadReading("a reading is a JSON object")
    device = fields.pop("device", None)
    topic = fields.pop("topic", letter.topic)
    contract = fields.pop("contract", "")
    if type(device) is not str or not 0 < len(device) <= NAME_LIMIT:
        raise BadReading("is required: `SELECT *, topic(2) AS device FROM …`", field="device")
    if type(topic) is not str:
        raise BadReading("must be text", field="topic")
    if contract and (type(contract) is not str or contract not in CONTRACTS):
        raise BadReading(f"must be one of {', '.join(CONTRACTS)}", field="contract")
    return Letter(topic, encode(fields), letter.arrival, contract), device


def _confirmation(body: bytes) -> Confirmation:
    fields: Any = strict_json.decode(body)
    if type(fields) is not dict:
        raise BadReading("a confirmation is a JSON object")
    arn, token, link = (fields.get(name) for name in ("arn", "confirmationToken", "enableUrl"))
    if type(arn) is not str or not _DESTINATION.fullmatch(arn):
        raise BadReading("is no destination of AWS IoT", field="arn")
    if type(token) is not str or not 0 < len(token) <= 4096:  # noqa: PLR2004 - AWS: 2,048 at most
        raise BadReading("is no token", field="confirmationToken")
    if type(link) is not str or not _AMAZON.fullmatch(link):
        raise BadReading("does not lead to AWS IoT", field="enableUrl")
    return Confirmation(arn, token, link, iso(time.time_ns() // 1000))


async def _team(devices: Devices) -> int:
    """The team of a rule action; 0, which no team has, while there is none of that name."""
    if not devices.own_id:
        try:
            await devices.start()
        except NoTeam:
            return 0
    return devices.team_id


async def _ready(devices: Devices) -> None:
    """Find the team at the first message: it may be made after the server started."""
    if devices.own_id:
        return
    try:
        await devices.start()
    except NoTeam as problem:
        raise Unavailable(str(problem)) from problem
