"""Keeps tokens of AWS IAM where libpq looks for passwords, so that every connection of every process has a fresh one.

RDS and Aurora take a token for a password: signed here with the AWS credentials of this machine, good for 15 minutes,
asked for at connecting only. One process makes them and writes a password file; the addresses name that file, so
whoever connects, in whatever process and with whatever driver, reads the token of the moment.
"""

import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

RENEW_EVERY_S = 300.0  # a token lives 900 s, the credentials that signed it at least 600 s more [botocore's refresh]
TRY_AGAIN_S = 5.0
PORT = "5432"
AUTHORITIES = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
_RDS = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$")
_log = structlog.get_logger()


class BadAddress(Exception):
    """An address cannot be used with tokens; the message says what to write in its place."""


class NoToken(Exception):
    """No token can be made: the AWS credentials, the region or botocore is missing."""


class Place(NamedTuple):
    """One server that a token is made for."""

    host: str
    port: str
    user: str


TokenOf = Callable[[Place], str]


@contextmanager
def kept(
    urls: Sequence[str], file: Path, *, token_of: TokenOf | None = None, every_s: float = RENEW_EVERY_S
) -> Iterator[list[str]]:
    """The addresses, naming a password file whose tokens are renewed until the context ends, when it is removed.

    Args:
        urls: Addresses of databases: without a password, with `sslmode=verify-full` or without an sslmode.
        file: Where the tokens stand, for this user's eyes only; its folder exists.
        token_of: Makes one token, by default with botocore.
        every_s: Pause between two renewals.

    Raises:
        BadAddress: A part of an address contradicts tokens or is missing.
        NoToken: The first tokens cannot be made.
    """
    completed = [_completed(url, file) for url in urls]
    places = list(dict.fromkeys(place for url in urls for place in places_of(url)))
    make = token_of or signer()
    _write(file, places, make)
    ended = threading.Event()
    renewal = threading.Thread(
        target=_renew, args=(file, places, make, every_s, ended), name="database tokens", daemon=True
    )
    renewal.start()
    try:
        yield completed
    finally:
        ended.set()
        renewal.join()
        file.unlink(missing_ok=True)


def places_of(url: str) -> list[Place]:
    """Every server that an address names.

    >>> places_of("postgresql://releve@db1,db2:5433/releve")
    [Place(host='db1', port='5432', user='releve'), Place(host='db2', port='5433', user='releve')]
    """
    given = conninfo_to_dict(url)
    hosts = str(given["host"]).split(",")
    ports = str(given.get("port") or PORT).split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    return [Place(host, port or PORT, str(given["user"])) for host, port in zip(hosts, ports, strict=True)]


def region_of(host: str) -> str:
    """The region that an endpoint is in, by its name; else the environment's, which may be none.

    >>> region_of("releve.cluster-c9akciq32.eu-west-3.rds.amazonaws.com")
    'eu-west-3'
    """
    found = _RDS.search(host)
    if found is not None:
        return found[1]
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


def signer() -> TokenOf:
    """Signs tokens with whatever credentials botocore finds: environment, profile, role of the machine or the pod.

    Raises:
        NoToken: botocore is not installed.
    """
    try:
        import botocore.session  # noqa: PLC0415 - an extra, and slow to load
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see above
    except ImportError as error:
        raise NoToken("RELEVE_DATABASE_IAM needs botocore: pip install 'releve[aws]'") from error
    session = botocore.session.get_session()
    clients: dict[str, Any] = {}

    def token_of(place: Place) -> str:
        region = region_of(place.host) or session.get_config_variable("region")
        if not region:
            raise NoToken(f"the AWS region of {place.host} is unknown; set AWS_REGION")
        try:
            client = clients.get(region) or session.create_client("rds", region_name=region)
            clients[region] = client
            return str(client.generate_db_auth_token(place.host, int(place.port), place.user, region))
        except (BotoCoreError, ClientError) as error:
            raise NoToken(f"AWS credentials: {error}") from error

    return token_of


def _completed(url: str, file: Path) -> str:
    """The address with TLS verified and the password file named; it holds no secret."""
    given = conninfo_to_dict(url)
    if given.get("password") or os.environ.get("PGPASSWORD"):
        raise BadAddress("with RELEVE_DATABASE_IAM neither the address nor PGPASSWORD holds a password: a token is one")
    if not given.get("user"):
        raise BadAddress("with RELEVE_DATABASE_IAM the address names the database user, such as postgresql://releve@…")
    hosts = str(given.get("host") or "").split(",")
    if any(not host or host.startswith("/") for host in hosts):
        raise BadAddress("with RELEVE_DATABASE_IAM the address names a host, which a token is made for")
    if given.get("sslmode", "verify-full") != "verify-full":
        raise BadAddress(
            f"sslmode={given['sslmode']} would show the token to whoever pretends to be the server; write"
            " sslmode=verify-full"
        )
    if not given.get("sslrootcert"):
        raise BadAddress(f"add sslrootcert=FILE with the authorities that sign RDS's certificates: {AUTHORITIES}")
    return make_conninfo(url, sslmode="verify-full", passfile=str(file))


def _renew(file: Path, places: list[Place], make: TokenOf, every_s: float, ended: threading.Event) -> None:
    """Write tokens again and again; what fails is tried again long before the last ones end."""
    pause_s, is_failing = every_s, False
    while not ended.wait(pause_s):
        try:
            _write(file, places, make)
        except (NoToken, OSError) as error:
            if not is_failing:
                _log.warning("database tokens cannot be renewed", error=str(error)[:500])
            pause_s, is_failing = min(TRY_AGAIN_S, every_s), True
        else:
            if is_failing:
                _log.info("database tokens are renewed again")
            pause_s, is_failing = every_s, False


def _write(file: Path, places: list[Place], make: TokenOf) -> None:
    lines = [":".join(map(_escaped, (place.host, place.port, "*", place.user, make(place)))) for place in places]
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as written:
        written.write("".join(f"{line}\n" for line in lines))
    draft.replace(file)


def _escaped(text: str) -> str:
    r"""A field of libpq's password file.

    >>> _escaped("db:5432/?Action=connect")
    'db\\:5432/?Action=connect'
    """
    return text if text == "*" else text.replace("\\", "\\\\").replace(":", "\\:")
