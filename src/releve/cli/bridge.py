"""`releve bridge`: reads the topics of brokers that already exist, and acknowledges to them after our commit."""
# ruff: noqa: D301 - click reads \b

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from releve.cli import option
from releve.ingest.bridge import credential
from releve.ingest.bridge.config import BadConfig, Broker, Config, RuleAction, Topic, load
from releve.ingest.bridge.device import NoTeam
from releve.ingest.rule_action.routes import CONFIRMATIONS, Confirmations
from releve.serve import instance
from releve.serve.bridge import Bridge
from releve.serve.external_database import signing_in_for_a_moment
from releve.serve.process import logs
from releve.settings import Settings
from releve.storage.database_token import BadAddress, NoToken
from releve.storage.embedded import running_url
from releve.storage.embedded.location import make_data_directory


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The bridge's TOML file; by default RELEVE_BRIDGE_CONFIG.",
)
@click.option("--check", is_flag=True, help="Check the file and say what it would do; connect to nothing.")
@click.option("--confirmations", is_flag=True, help="Show which rule actions AWS IoT asks to confirm.")
@option.data_dir
def command(*, path: Path | None, check: bool, confirmations: bool, data_dir: Path | None) -> None:
    """Bridge brokers that already exist: Mosquitto, EMQX, AWS IoT Core.

    A broker's message is acknowledged once its readings are committed; until then the broker keeps it. `releve up`
    runs the bridge itself when RELEVE_BRIDGE_CONFIG is set.

    \b
    Examples:
      releve bridge --config bridge.toml --check
      releve bridge --config bridge.toml
      releve bridge --confirmations
    """
    settings = option.chosen(data_dir=data_dir, bridge_config=str(path) if path else None)
    if confirmations:
        _show(Confirmations(settings.data_dir / CONFIRMATIONS))
        return
    if not settings.bridge_config:
        raise option.Refusal("name the bridge's file with --config, or set RELEVE_BRIDGE_CONFIG")
    try:
        config = load(Path(settings.bridge_config))
        if check:
            for line in _plan(config):
                click.echo(line)
        else:
            _run(settings, config)
    except (BadConfig, NoTeam) as error:
        raise option.Refusal(str(error)) from error


def _show(confirmations: Confirmations) -> None:
    rows = [msgspec.to_builtins(each) for each in confirmations.all()]
    for row in rows:
        click.echo(f"{row['arn']}  asked {row['received']}\n  {row['enable_url']}")
    click.echo(
        "Open a link only if the destination is yours: that tells AWS IoT to send to this server."
        if rows
        else "AWS IoT asked for nothing yet: create the rule action, then look again."
    )


def _run(settings: Settings, config: Config) -> None:
    logs.configure(level=settings.log_level, log_format=settings.log_format, process="bridge")
    try:
        with signing_in_for_a_moment(settings) as settled:
            url = _database(settled)
            make_data_directory(settings.data_dir)
            asyncio.run(Bridge(replace(settled, database_url=url), config).run())
    except (BadAddress, NoToken) as error:
        raise option.Refusal(str(error)) from error


def _database(settings: Settings) -> str:
    if settings.database_url:
        return settings.database_url
    document = instance.running(settings.data_dir)
    url = running_url(settings.data_dir)
    if document is None or url is None:
        raise option.Refusal(
            f"no server is ready on {settings.data_dir}; start one with `releve up`, or set DATABASE_URL"
        )
    return url


def _plan(config: Config) -> Iterator[str]:
    """What the file asks for; secrets and certificates are read, and not shown."""
    for broker in config.broker:
        yield from _broker_plan(broker)
    for action in config.rule_action:
        yield from _action_plan(action)


def _broker_plan(broker: Broker) -> Iterator[str]:
    has_password = credential.password(broker) is not None
    credential.tls(broker)
    yield f"{broker.name}: {broker.url}, MQTT {broker.version}, session {broker.session}, for the team {broker.team}"
    if broker.is_encrypted:
        proof = f"as {broker.certificate_file}" if broker.certificate_file else "without a client certificate"
        yield f"  TLS {proof}, the broker verified by {broker.ca_file or 'the system authorities'}"
    if broker.username is not None:
        yield f"  user name {broker.username}, {'with' if has_password else 'without'} a password"
    if has_password and not broker.is_encrypted:
        yield "  warning: the password travels in plain text; use mqtts:// or wss:// unless the network is yours"
    for template, topic in zip(broker.templates, broker.topic, strict=True):
        contract = topic.contract or "as declared"
        yield f"  subscribe {template.filter} at QoS 1: device {_device(topic)}, contract {contract}"
    yield f"  at most {broker.window} messages under way; strangers go to the quarantine of bridge:{broker.name}"


def _device(topic: Topic) -> str:
    if topic.device is not None:
        return topic.device
    return f"named by the field {topic.device_field}" if topic.device_field else "named by the topic"


def _action_plan(action: RuleAction) -> Iterator[str]:
    credential.token(action)
    yield f"{action.name}: AWS IoT rule action for the team {action.team}, at /api/v1/bridge/aws-iot"
