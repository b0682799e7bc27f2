"""The bridge's TOML file: which brokers, which topics, which team; strict, and without secrets."""

import os
import socket
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from releve.ingest.bridge.template import BadTemplate, Template

Contract = Literal["gym", "racing", "profilometre", "generic"]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
SECRETS = ("password", "token", "key_password", "key")
_ENCRYPTED = ("mqtts", "wss")


class BadConfig(Exception):
    """The file cannot be used; the message names the key."""


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[broker.topic]]`.

    Attributes:
        template: Topic filter; `{device}` and `{quantity}` fill a level, `$share/GROUP/` may stand in front.
        contract: How payloads are read; None is as the device declares.
        device: The one device that all of it is of.
        device_field: The field of a JSON payload that names the device.
    """

    template: str
    contract: Contract | None = None
    device: str | None = None
    device_field: str | None = None


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[broker]]`.

    Attributes:
        name: What logs and files call it.
        url: `mqtt://`, `mqtts://`, `ws://` or `wss://`, with host and perhaps port and path.
        team: The team whose devices it speaks for.
        topic: What to subscribe to.
        client_id: Its session with the broker; `{name}` and `{hostname}` are filled in.
        version: MQTT version.
        window: Most messages under way; MQTT 5 tells it to the broker.
        largest_packet_bytes: What the broker may send at most; MQTT 5 tells it to the broker.
    """

    name: Name
    url: str
    team: str
    topic: Annotated[list[Topic], msgspec.Meta(min_length=1)]
    client_id: str = "releve-{name}"
    version: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password_file: str | None = None
    password_env: str | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    alpn: list[str] = []
    keep_alive_s: Annotated[int, msgspec.Meta(ge=5, le=1200)] = 30
    window: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200
    session_expiry_s: Annotated[int, msgspec.Meta(ge=60, le=0xFFFF_FFFF)] = 7 * 86_400
    largest_packet_bytes: Annotated[int, msgspec.Meta(ge=1024, le=256 * 2**20)] = 16 * 2**20

    @property
    def address(self) -> SplitResult:
        """The parts of the URL."""
        return urlsplit(self.url)

    @property
    def port(self) -> int:
        """The URL's port, else its scheme's."""
        return self.address.port or PORTS[self.address.scheme]

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.address.scheme in _ENCRYPTED

    @property
    def session(self) -> str:
        """The client id with its placeholders filled in."""
        return self.client_id.replace("{name}", self.name).replace("{hostname}", socket.gethostname())

    @property
    def templates(self) -> list[Template]:
        """The templates of its topics, in the file's order."""
        return [Template.parse(topic.template) for topic in self.topic]


class RuleAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[rule_action]]`: AWS IoT's HTTPS rule action, which carries the token in its Authorization header."""

    name: Name
    team: str
    token_file: str | None = None
    token_env: str | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    broker: list[Broker] = []
    rule_action: list[RuleAction] = []


def load(path: Path) -> Config:
    """Read and check a file; files that it names are looked for beside it.

    Raises:
        BadConfig: It cannot be read, or a key is wrong.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        _refuse_secrets(document)
        config = msgspec.convert(document, Config)
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path}: not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise BadConfig(f"{path}: {_with_key(str(error))}") from error
    except BadConfig as error:
        raise BadConfig(f"{path}: {error}") from None
    for problem in _problems(config):
        raise BadConfig(f"{path}: {problem}")
    return _beside(config, path.resolve().parent)


def secret(*, file: str | None, variable: str | None) -> str | None:
    """The text of a secret file, or of an environment variable; None when neither is named.

    Raises:
        BadConfig: It is not there, or empty.
    """
    if file is not None:
        try:
            text = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfig(f"{file}: {error}") from error
    elif variable is not None:
        text = os.environ.get(variable, "")
    else:
        return None
    if not text:
        raise BadConfig(f"{file or 'the environment variable ' + str(variable)} holds no secret")
    return text


def _problems(config: Config) -> Iterator[str]:
    if not config.broker and not config.rule_action:
        yield "holds no [[broker]] and no [[rule_action]]"
    names: set[str] = set()
    kinds: list[tuple[str, Sequence[Broker | RuleAction]]] = [
        ("broker", config.broker),
        ("rule_action", config.rule_action),
    ]
    for kind, entries in kinds:
        for index, entry in enumerate(entries):
            if entry.name in names:
                yield f"{kind}[{index}].name: {entry.name!r} stands twice"
            names.add(entry.name)
    for index, broker in enumerate(config.broker):
        for problem in _broker_problems(broker):
            yield f"broker[{index}].{problem}"
    for index, action in enumerate(config.rule_action):
        if (action.token_file is None) == (action.token_env is None):
            yield f"rule_action[{index}].token_file: give either token_file or token_env"


def _broker_problems(broker: Broker) -> Iterator[str]:
    yield from _address_problems(broker)
    if broker.password_file is not None and broker.password_env is not None:
        yield "password_file: stands beside password_env; give one of the two"
    if (broker.password_file or broker.password_env) and broker.username is None:
        yield "username: is required beside a password"
    if (broker.certificate_file is None) != (broker.key_file is None):
        yield "key_file: certificate_file and key_file go together"
    for key in ("ca_file", "certificate_file", "alpn"):
        if getattr(broker, key) and not broker.is_encrypted:
            yield f"{key}: needs mqtts:// or wss:// in url"
    templates: list[Template] = []
    for index, topic in enumerate(broker.topic):
        for problem in _topic_problems(topic, templates):
            yield f"topic[{index}].{problem}"


def _address_problems(broker: Broker) -> Iterator[str]:
    try:
        address = broker.address
        scheme, host = address.scheme, address.hostname
        _ = address.port
    except ValueError as error:
        yield f"url: {error}"
        return
    if scheme not in PORTS:
        yield f"url: begins with one of {', '.join(f'{name}://' for name in PORTS)}"
    elif not host:
        yield "url: names no host"
    elif address.username or address.password:
        yield "url: holds a user name or a password; use username and password_file"
    elif address.path.strip("/") and scheme in ("mqtt", "mqtts"):
        yield "url: a path is for ws:// and wss:// only"


def _topic_problems(topic: Topic, earlier: list[Template]) -> Iterator[str]:
    try:
        template = Template.parse(topic.template)
    except BadTemplate as error:
        yield f"template: {error}"
        return
    sources = [template.names_device, topic.device is not None, topic.device_field is not None]
    if sum(sources) != 1:
        yield "device: say once which device it is: {device} in the template, device or device_field"
    if "{quantity}" in topic.template and topic.contract not in (None, "racing"):
        yield "contract: {quantity} is for contract racing"
    for other in earlier:
        if template.overlaps(other):
            yield f"template: a topic can match both it and {other.text!r}"
    earlier.append(template)


def _refuse_secrets(document: dict[str, object]) -> None:
    for kind in ("broker", "rule_action"):
        entries = document.get(kind)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            for key in SECRETS:
                if isinstance(entry, dict) and key in entry:
                    raise BadConfig(f"{kind}[{index}].{key}: no secret stands in this file; use {key}_file")


def _with_key(message: str) -> str:
    """The message of msgspec with the key in front: `broker[0].url: …`."""
    text, separator, place = message.rpartition(" - at `$.")
    return f"{place.rstrip('`')}: {text}" if separator else message


def _beside(config: Config, folder: Path) -> Config:
    def found(entry: msgspec.Struct, keys: Sequence[str]) -> dict[str, str]:
        return {key: str(folder / getattr(entry, key)) for key in keys if getattr(entry, key) is not None}

    files = ("password_file", "ca_file", "certificate_file", "key_file")
    return Config(
        [msgspec.structs.replace(broker, **found(broker, files)) for broker in config.broker],
        [msgspec.structs.replace(action, **found(action, ("token_file",))) for action in config.rule_action],
    )
