"""What CONNECT and CONNACK settle: refusals by the protocol itself, keep alive, expiry, and what is on offer."""

from releve.protocol.mqtt.error import ProtocolError, UnsupportedVersion, Violation
from releve.protocol.mqtt.kind import Kind, Version
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import Connack, Connect, Disconnect
from releve.protocol.mqtt.property import NO_PROPERTIES, Properties
from releve.protocol.mqtt.reason import ALLOWED, RETURN_CODES, Reason

_LONGEST_RECEIVE_MAXIMUM = 65_535


def refusal(connect: Connect, limits: Limits) -> tuple[Reason, str] | None:
    """Why the protocol refuses this CONNECT, whoever sends it; None when the application is to judge."""
    if connect.properties.authentication_method is not None:
        return Reason.BAD_AUTHENTICATION_METHOD, "no authentication method is supported"  # [MQTT-4.12.0-1]
    if not connect.client_id and connect.version is Version.V3_1_1 and not connect.clean_start:
        return Reason.CLIENT_IDENTIFIER_NOT_VALID, "no client id for a lasting session"  # [MQTT-3.1.3-8]
    if len(connect.client_id) > limits.longest_client_id:
        return Reason.CLIENT_IDENTIFIER_NOT_VALID, "the client id is too long"
    is_told = connect.version is Version.V5  # 3.1.1 has no word for it and its clients often ask: the will is published
    if connect.will is not None and connect.will.retain and is_told and not limits.keeps_retained:
        return Reason.RETAIN_NOT_SUPPORTED, "retained messages are not kept"  # [MQTT-3.2.2-13]
    return None


def keep_alive_s(connect: Connect, limits: Limits) -> int:
    """How long the client may be silent, before the half as much again; 0 is for ever.

    Only MQTT 5 has a way to tell a client another time than its own [MQTT-3.1.2-21].
    """
    wished, longest = connect.keep_alive_s, limits.maximum_keep_alive_s
    is_too_long = longest and (not wished or wished > longest)
    return longest if is_too_long and connect.version is Version.V5 else wished


def session_expiry_s(connect: Connect, limits: Limits) -> int:
    """How long the session outlives its connection; 3.1.1 knows only "not" and "as long as we like"."""
    if connect.version is Version.V3_1_1:
        return 0 if connect.clean_start else limits.maximum_session_expiry_s
    return min(connect.properties.session_expiry_interval or 0, limits.maximum_session_expiry_s)


def last_expiry_s(connect: Connect, disconnect: Disconnect, agreed_s: int, limits: Limits) -> int:
    """How long the session lasts after a DISCONNECT, which may change it, but not from nothing to something.

    Raises:
        ProtocolError: It asks for a session where there was none (section 3.14.2.2.2).
    """
    wished = disconnect.properties.session_expiry_interval
    if wished is None:
        return agreed_s
    if wished and not connect.properties.session_expiry_interval:
        raise ProtocolError("a session expiry interval where there was none")
    return min(wished, limits.maximum_session_expiry_s)


def acceptance(connect: Connect, limits: Limits, *, session_present: bool, assigned: str | None) -> Connack:
    """The CONNACK that lets the client in and says what it may do."""
    if connect.version is Version.V3_1_1:
        return Connack(session_present)
    keep_alive, expiry = keep_alive_s(connect, limits), session_expiry_s(connect, limits)
    wished_expiry = connect.properties.session_expiry_interval or 0
    properties = Properties(
        session_expiry_interval=expiry if expiry != wished_expiry else None,
        receive_maximum=min(limits.receive_maximum, _LONGEST_RECEIVE_MAXIMUM),
        retain_available=None if limits.keeps_retained else 0,
        maximum_packet_size=limits.maximum_packet_size,
        assigned_client_identifier=assigned,
        topic_alias_maximum=limits.topic_alias_maximum or None,
        server_keep_alive=keep_alive if keep_alive != connect.keep_alive_s else None,
        shared_subscription_available=0,
    )
    return Connack(session_present, properties=properties)


def refused_connack(version: Version | None, reason: Reason, detail: str) -> Connack | None:
    """The CONNACK for a reason; None where the connection just closes."""
    if version is None:
        return None
    if version is Version.V5:
        known = reason if reason in ALLOWED[Kind.CONNACK] else Reason.SERVER_UNAVAILABLE
        return Connack(reason=known, properties=Properties(reason_string=detail) if detail else NO_PROPERTIES)
    code = RETURN_CODES.get(reason)
    return None if code is None else Connack(reason=code)  # [MQTT-3.2.2-6] of 3.1.1


def version_to_answer(violation: Violation, spoken: Version | None) -> Version | None:
    """The version to refuse a broken CONNECT in; None to close without a word.

    3.1.1 wants silence for a malformed one [MQTT-3.1.4-1], but a return code for an unknown level
    [MQTT-3.1.2-2]; a level above 5 is likelier to read the newest format.
    """
    if isinstance(violation, UnsupportedVersion):
        return Version.V5 if violation.level > Version.V5 else Version.V3_1_1
    return Version.V5 if spoken is Version.V5 else None
