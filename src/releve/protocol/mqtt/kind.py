"""The sixteen control packet types and the two versions of the protocol."""

from enum import IntEnum


class Version(IntEnum):
    """The protocol level that CONNECT asks for."""

    V3_1_1 = 4
    V5 = 5


class Kind(IntEnum):
    """Control packet types, section 2.1.2 of MQTT 5; a will's properties have rules of their own."""

    WILL = 0
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15
