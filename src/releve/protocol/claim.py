"""The claim code of a device: the user name by which the holder of a certificate names this very device."""

import base64
import hmac
import re

_CODE = re.compile(r"claim-([1-9][0-9]{0,9})-[a-z2-7]{16}")
_LARGEST_ID = 2**31 - 1
_MAC_BYTES = 10


def claim_code(*, device_id: int, team_id: int, added_us: int, pepper: bytes) -> str:
    """The code of a device as long as it is this team's; it cannot be guessed, and no later device has it again.

    Args:
        device_id: The device.
        team_id: The team that owns it now.
        added_us: When it was added, in microseconds since 1970.
        pepper: The installation's.

    >>> claim_code(device_id=7, team_id=1, added_us=1_780_000_000_000_000, pepper=b"pepper")
    'claim-7-ifpb4lggs4l537bt'
    """
    message = f"claim of device {device_id} of team {team_id} added {added_us}"
    mac = hmac.digest(pepper, message.encode(), "sha256")[:_MAC_BYTES]
    return f"claim-{device_id}-{base64.b32encode(mac).decode().lower()}"


def claimed_device(text: str) -> int | None:
    """The id of the device that a claim code names, None when it is no such code; whether it is right is not said.

    >>> claimed_device("claim-7-ifpb4lggs4l537bt"), claimed_device("raspberry1")
    (7, None)
    """
    found = _CODE.fullmatch(text)
    number = int(found[1]) if found else 0
    return number if 0 < number <= _LARGEST_ID else None
