"""TLS contexts, passwords and tokens, from the files and variables that the configuration names."""

import ssl

from releve.ingest.bridge.config import BadConfig, Broker, Config, RuleAction, secret


def password(broker: Broker) -> str | None:
    """The password, None when the broker asks for none.

    Raises:
        BadConfig: It cannot be read.
    """
    return _named(f"broker {broker.name!r}", "password", file=broker.password_file, variable=broker.password_env)


def token(action: RuleAction) -> str:
    """What AWS IoT's rule shows.

    Raises:
        BadConfig: It cannot be read.
    """
    found = _named(f"rule_action {action.name!r}", "token", file=action.token_file, variable=action.token_env)
    if found is None:
        raise BadConfig(f"rule_action {action.name!r}: token_file: is required, or token_env")
    return found


def check(config: Config) -> None:
    """Read every file and variable that a configuration names, so that what is missing is told at once.

    Raises:
        BadConfig: One cannot be used; the message names its entry and key.
    """
    for broker in config.broker:
        password(broker)
        tls(broker)
    for action in config.rule_action:
        token(action)


def tls(broker: Broker) -> ssl.SSLContext | None:
    """What TLS is spoken with, None for plain connections. The broker's certificate is always verified.

    Raises:
        BadConfig: A file cannot be read, or certificate and key do not belong together.
    """
    if not broker.is_encrypted:
        return None
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise BadConfig(f"broker {broker.name!r}: ca_file: {broker.ca_file}: {error}") from error
    if broker.certificate_file is not None:
        try:
            context.load_cert_chain(broker.certificate_file, broker.key_file, password=_no_passphrase)
        except (OSError, ssl.SSLError) as error:
            raise BadConfig(
                f"broker {broker.name!r}: certificate_file: {broker.certificate_file} with {broker.key_file}: {error}"
            ) from error
    if broker.alpn:
        context.set_alpn_protocols(broker.alpn)
    return context


def _named(entry: str, key: str, *, file: str | None, variable: str | None) -> str | None:
    try:
        return secret(file=file, variable=variable)
    except BadConfig as error:
        raise BadConfig(f"{entry}: {key}_{'env' if file is None else 'file'}: {error}") from error


def _no_passphrase() -> str:
    """Nobody is there to type one in."""
    return ""
