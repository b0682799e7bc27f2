"""Every knob of Relevé: its type, unit, default and environment name, read once at start."""

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self, get_args
from urllib.parse import urlsplit

PREFIX = "RELEVE_"
ALL = "all"
NONE = "none"  # how a setting that may be left out is left out


class UnknownSetting(Exception):
    """A variable starts with RELEVE_ but no setting has that name."""


class BadSetting(Exception):
    """A setting's value does not have the setting's type, or is not one of its choices."""


def knob(default: Any, help_text: str, *, unit: str = "", choices: tuple[str, ...] = ()) -> Any:
    """Declare one setting; the text becomes its line in the configuration reference."""
    return field(default=default, metadata={"help": help_text, "unit": unit, "choices": choices})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator chose; parts receive plain values from it, never the object's environment."""

    database_url: str = knob(
        "", "External PostgreSQL (15 to 18); empty starts the embedded one. Read from `DATABASE_URL`."
    )
    ingest_database_urls: str = knob(
        "",
        "Comma-separated PostgreSQL addresses that workers write readings through; empty means the database itself.",
    )
    database_iam: int = knob(
        0,
        "1 signs in to RDS and Aurora with tokens of AWS IAM in place of a password; needs the extra `aws`.",
        choices=("0", "1"),
    )
    data_dir: Path = knob(  # noqa: RUF009 - it is dataclasses.field by another name
        Path("data"), "Where the embedded database, the keys and the run files are kept."
    )
    postgres_bin: str = knob(
        "",
        "Folder of the PostgreSQL programs to run embedded; empty means the installed wheel's, then the system's.",
    )
    postgres_port: int = knob(
        0, "Port on 127.0.0.1 at which the embedded PostgreSQL lets SQL readers in; 0 opens none, only its own socket."
    )
    host: str = knob("127.0.0.1", "Address to listen on.")
    port: int = knob(8000, "HTTP port; 0 picks a free one.")
    also_ports: str = knob("", "Further HTTP ports, comma-separated; every port answers every route.")
    mqtt_port: int | None = knob(
        1883, "Plain MQTT port; 0 picks a free one, `none` opens none (MQTT over WebSocket and with TLS stay)."
    )
    mqtt_host: str = knob(
        "127.0.0.1",
        "Address of the plain MQTT port; without TLS passwords travel readable, so it is loopback unless you say so.",
    )
    mqtt_tls_port: int = knob(8883, "MQTT port with TLS; 0 picks a free one; needs certificate and key.")
    mqtt_tls_host: str = knob("", "Address of the MQTT port with TLS; empty means the listening address.")
    mqtt_certificate: str = knob("", "PEM file of the MQTT server certificate and its chain; empty means no TLS port.")
    mqtt_key: str = knob("", "PEM file of the MQTT server certificate's key.")
    mqtt_client_ca: str = knob(
        "", "PEM file of the authority whose client certificates devices may show; empty means none are asked for."
    )
    mqtt_packet_limit_bytes: int = knob(4 * 1024 * 1024, "Largest MQTT packet.", unit="bytes")
    mqtt_keep_alive_s: int = knob(
        0, "Longest that an MQTT 5 client may be silent; 0 leaves it to the client.", unit="s"
    )
    mqtt_connect_timeout_s: float = knob(10.0, "Longest wait for an MQTT client's whole CONNECT.", unit="s")
    mqtt_links: int = knob(10_000, "Most MQTT connections of one worker; further ones are closed at once.")
    workers: int = knob(1, "Ingest processes that share the ports.")
    only: str = knob(
        ALL,
        "Which of the processes this machine runs; `all` is every one, with the database where none is external.",
        choices=(ALL, "ingest", "control", "maintenance"),
    )
    control_url: str = knob(
        "",
        "Where the control process is, such as `http://10.0.0.5:8000`, when it runs on another machine; empty means "
        "on this one, behind a unix socket.",
    )
    root_path: str = knob(
        "", "Stage prefix in front of every route, such as `/prod`; routes answer with and without it."
    )
    public_url: str = knob(
        "",
        "Address that people reach Relevé at, such as `https://telemetry.example.com`; empty means host and port.",
    )
    allowed_origins: str = knob(
        "",
        "Origins of web pages elsewhere that may call the API with a token, comma-separated, such as "
        "`http://192.168.1.5:3000`; empty means none.",
    )
    allowed_hosts: str = knob(
        "",
        "Further names that requests may call this machine by, comma-separated; `.example.com` is that and all below "
        "it, `*` every name. Addresses in numbers, names without a dot, the machine's own and that of the public "
        "address are always fine.",
    )
    trusted_proxies: str = knob(
        "", "Addresses of reverse proxies whose X-Forwarded-For and -Proto count, comma-separated."
    )
    time_zone: str = knob("UTC", "Zone of pages and of devices that declare none.")
    language: str = knob("en", "Language of pages for a browser that asks for none we have.", choices=("en", "fr"))
    anonymous_role: str = knob(
        "none",
        "What a caller without a token may do on the racing routes.",
        choices=("none", "viewer", "editor"),
    )
    anonymous_devices: str = knob(
        "",
        "MQTT clients without credentials that are let in as a device, on a network that is yours, comma-separated: "
        "`ESP32ClientBis=car1, pi-gym=raspberry1` (client id, then device); empty lets nobody in.",
    )
    docs: str = knob(
        "auto",
        "Who sees the API documents: `auto` is everyone on loopback and signed-in people elsewhere.",
        choices=("auto", "open", "signed-in"),
    )
    access_token_s: int = knob(900, "Life of a person's access token.", unit="s")
    device_token_s: int = knob(
        3650 * 86400,
        "Life of a device's access token, and of its refresh token unless that is shorter than a person's.",
        unit="s",
    )
    mqtt_token_s: int = knob(3600, "Life of a person's token for MQTT, at whose end its link is closed.", unit="s")
    refresh_token_s: int = knob(30 * 86400, "Life of a person's refresh token.", unit="s")
    refresh_grace_s: int = knob(60, "How long the newest refresh token's parent still answers the newest.", unit="s")
    signing_keys: str = knob(
        "",
        "Token signing keys as `kid:secret` pairs, comma-separated, the first signs; empty means the file's.",
    )
    failures_allowed: int = knob(10, "Failed sign-ins of one principal from one address before it must wait.")
    failure_window_s: int = knob(300, "Window of the failed sign-ins, and the wait.", unit="s")
    body_limit_bytes: int = knob(4 * 1024 * 1024, "Largest request body, inflated.", unit="bytes")
    batch_limit: int = knob(10_000, "Most readings in one request.")
    header_timeout_s: float = knob(10.0, "Longest wait for a request's headers.", unit="s")
    body_timeout_s: float = knob(20.0, "Longest wait for a request's whole body.", unit="s")
    backlog_readings: int = knob(
        50_000,
        "Readings waiting for their commit before everybody is refused; a device alone is above its fair part of a "
        "second of work.",
    )
    device_backlog_readings: int = knob(20_000, "The part of the backlog that one device may take.")
    device_channels: int = knob(
        1_024,
        "Names that the channels of one device may have between them; a reading with a further one is quarantined. "
        "Names that a device has already it keeps.",
        unit="names",
    )
    bridge_config: str = knob(
        "", "TOML file of the bridge to other brokers and of AWS IoT's rule actions; empty means neither."
    )
    follow_runs_s: float = knob(
        2.0,
        "Pause between two times that runs are cut in the background. 0 leaves it, and nothing else cuts them.",
        unit="s",
    )
    receipt_retention_days: int = knob(
        90,
        "How long a reading with an id and without a time of its own is recognised when it is sent again; 0 for ever.",
        unit="days",
    )
    audit_retention_days: int = knob(400, "How long events stay in the audit trail; 0 for ever.", unit="days")
    log_level: str = knob("info", "Least severe log line written.", choices=("debug", "info", "warning", "error"))
    log_format: str = knob("auto", "`auto` is text on a terminal and JSON elsewhere.", choices=("auto", "text", "json"))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Self:
        """Read the environment; overrides (command-line flags) win over it, text among them is read as there.

        Raises:
            UnknownSetting: A `RELEVE_` variable names no setting.
            BadSetting: A value cannot be read as its setting's type.
        """
        source = os.environ if environment is None else environment
        by_variable = {variable(item): item for item in fields(cls)}
        _refuse_unknown(source, by_variable)
        values = {item.name: parse(item, source[name]) for name, item in by_variable.items() if name in source}
        by_name = {item.name: item for item in fields(cls)}
        for name, value in overrides.items():
            if value is not None:
                values[name] = parse(by_name[name], value) if isinstance(value, str) else value
        chosen = cls(**values)
        for origin in chosen.origins:
            _check_origin(origin)
        chosen.devices_by_client_id  # noqa: B018 - a bad list is told at the start
        return chosen

    @property
    def devices_by_client_id(self) -> dict[str, str]:
        """Which device an MQTT client without credentials is, by its client id.

        Raises:
            BadSetting: It is no list of pairs, or one client id would be two devices.
        """
        found: dict[str, str] = {}
        for pair in filter(None, (each.strip() for each in self.anonymous_devices.split(","))):
            client_id, separator, device = (part.strip() for part in pair.rpartition("="))
            if not separator or not client_id or not device:
                raise BadSetting(f"RELEVE_ANONYMOUS_DEVICES holds {pair!r}; each is written client-id=device")
            if found.setdefault(client_id, device) != device:
                raise BadSetting(f"RELEVE_ANONYMOUS_DEVICES gives the client id {client_id!r} to two devices")
        return found

    @property
    def origins(self) -> frozenset[str]:
        """Origins of pages elsewhere that may call the API."""
        return frozenset(origin.strip() for origin in self.allowed_origins.split(",") if origin.strip())


def variable(item: Field[Any]) -> str:
    """The environment variable of a setting."""
    return "DATABASE_URL" if item.name == "database_url" else PREFIX + item.name.upper()


def as_text(value: Any) -> str:
    """One value as `parse` reads it."""
    return NONE if value is None else str(value)


def parse(item: Field[Any], text: str) -> Any:
    """Read one value as its setting's type.

    Raises:
        BadSetting: It is not of that type, or not one of the choices.
    """
    choices = item.metadata["choices"]
    if choices and text not in choices:
        raise BadSetting(f"{variable(item)} is {text!r}; it must be one of {', '.join(choices)}")
    kind, *others = get_args(item.type) or (item.type,)
    if others and text == NONE:
        return None
    try:
        return kind(text)
    except ValueError as error:
        wanted = f"{kind.__name__} or {NONE}" if others else kind.__name__
        raise BadSetting(f"{variable(item)} is {text!r}; it must be {wanted}") from error


def _check_origin(origin: str) -> None:
    """Make sure that a browser can say it: a page's scheme, host and port, and nothing behind them (RFC 6454)."""
    parts = urlsplit(origin)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.netloc
        or origin != f"{parts.scheme}://{parts.netloc}".lower()
    ):
        raise BadSetting(
            f"RELEVE_ALLOWED_ORIGINS holds {origin!r}; an origin is written as browsers send it, such as"
            " https://board.example.com or http://192.168.1.5:3000, with no path and no slash at its end"
        )


def _refuse_unknown(source: Mapping[str, str], known: Mapping[str, Field[Any]]) -> None:
    unknown = sorted(name for name in source if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise UnknownSetting(f"no setting is called {', '.join(unknown)}; see docs/reference/configuration.md")
