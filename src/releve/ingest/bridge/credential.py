"""A broker's TLS context and password, from the files and variables that the configuration names."""

import ssl

from releve.ingest.bridge.config import BadConfig, Broker, secret


def password(broker: Broker) -> str | None:
    """The password, None when the broker asks for none.

    Raises:
        BadConfig: It cannot be read.
    """
    return secret(file=broker.password_file, variable=broker.password_env)


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


def _no_passphrase() -> str:
    """Nobody is there to type one in."""
    return ""
