"""`releve send`: one reading, over real HTTP, as a device of this installation."""
# ruff: noqa: D301, PLC0415 - click reads \b; the work needs Django, which is set up by then

import math
import re
from pathlib import Path
from typing import Any

import click
import httpx

from releve.cli import answer, option
from releve.cli.control_plane import opened_with_keys
from releve.cli.importing.number import perhaps
from releve.cli.server import address
from releve.settings import Settings

TIMEOUT_S = 30.0
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NO_NUMBERS = frozenset({"nan", "inf", "infinity"})
LONGEST_NUMBER = 400
_WORDS = {"true": True, "false": False}
Value = float | int | bool | str


@click.command()
@click.argument("channels", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.option("--device", required=True, metavar="NAME", help="The device to send as.")
@click.option(
    "--time", metavar="TIME", help="When it was measured: ISO 8601, or epoch s, ms, µs or ns; now without it."
)
@click.option("--id", "message_id", metavar="ID", help="Your message id: the same again is stored once.")
@click.option("--url", metavar="URL", help="Address of the server; by default the running one's.")
@option.data_dir
@option.as_json
def command(
    *,
    channels: tuple[str, ...],
    device: str,
    time: str | None,
    message_id: str | None,
    url: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Send one reading as a device and print what became of it.

    Numbers are numbers, true and false are truth values, all else is text; quotes keep a number text. What only
    looks like a number, such as 21,5, is refused without quotes.

    \b
    Examples:
      releve send temperature=21.5 humidite=40 --device pi1
      releve send speed=12.3 track=1 'note="7"' --device car1 --time 2026-03-01T12:00:00Z --id lap-7
    """
    settings = option.chosen(data_dir=data_dir)
    reading: dict[str, Any] = {"channels": dict(map(channel, channels))}
    reading |= {"id": message_id} if message_id is not None else {}
    reading |= {"time": instant(time)} if time is not None else {}
    verdict = _sent(reading, device=device, to=address(settings, url), settings=settings)
    if as_json:
        answer.document(verdict)
    else:
        click.echo(_sentence(verdict))
    if verdict["outcome"] == "quarantined":
        raise click.exceptions.Exit(1)


def channel(argument: str) -> tuple[str, Value]:
    """Read one `KEY=VALUE`.

    >>> channel("speed=12.5"), channel("on=true"), channel('code="007"'), channel("track=A=1")
    (('speed', 12.5), ('on', True), ('code', '007'), ('track', 'A=1'))

    Raises:
        BadParameter: There is no `=`, or nothing in front of it; or a number that is none, such as `21,5` or `NaN`.
    """
    name, sign, text = argument.partition("=")
    if not sign or not name:
        raise click.BadParameter(f"{argument!r} is not KEY=VALUE, such as temperature=21.5")
    if _NUMBER.fullmatch(text):
        return name, _number(text)
    if len(text) > 1 and text[0] == text[-1] == '"':
        return name, text[1:-1]
    if perhaps(text) or text.lstrip("+-").casefold() in _NO_NUMBERS:
        raise click.BadParameter(
            f"{argument}: is that a number? Write it with a point and nothing else, such as {name}=21.5; "
            f"where it is text, put it in quotes: '{name}=\"{text}\"'"
        )
    return name, _WORDS.get(text, text)


def _number(text: str) -> float | int:
    value = int(text[:LONGEST_NUMBER]) if text.lstrip("+-").isdigit() else float(text)
    if len(text) > LONGEST_NUMBER or math.isinf(value):
        raise click.BadParameter(f"{text} is larger than any number that is kept")
    return value


def instant(text: str) -> str | int:
    """A time as it is sent: digits are an integer, all else is text.

    >>> instant("1767225600"), instant("2026-01-01")
    (1767225600, '2026-01-01')
    """
    return int(text) if text.isdigit() else text


def _sent(reading: dict[str, Any], *, device: str, to: str, settings: Settings) -> dict[str, Any]:
    with opened_with_keys(settings):
        from releve.cli.work.device import signed_in

        with signed_in(device) as token:
            headers = {"Authorization": f"Bearer {token}"}
            try:
                reply = httpx.post(f"{to}/api/v1/readings", json=reading, headers=headers, timeout=TIMEOUT_S)
            except httpx.HTTPError as error:
                raise option.Refusal(f"{to} does not answer ({error}); send it again, nothing counts twice") from error
    return _verdict(reply)


def _verdict(reply: httpx.Response) -> dict[str, Any]:
    try:
        document: dict[str, Any] = reply.json()
    except ValueError as error:
        raise option.Refusal(f"{reply.url} answered {reply.status_code}, and not as a Relevé does") from error
    if reply.status_code != httpx.codes.OK:
        said = document.get("detail") or document.get("title") or document
        where = f"{document['field']}: " if document.get("field") else ""
        raise option.Refusal(f"refused ({reply.status_code}): {where}{said}")
    return document


def _sentence(verdict: dict[str, Any]) -> str:
    outcome = verdict["outcome"]
    when = f" at {verdict['time']} (clock: {verdict['clock']})" if verdict.get("time") else ""
    why = f": {verdict.get('field')} {verdict['reason']}" if verdict.get("reason") else ""
    return f"{outcome}{when}{why}"
