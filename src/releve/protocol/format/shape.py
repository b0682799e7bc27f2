"""What a payload holds, once it has been cut."""

import msgspec

BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some programs put it in front of a file; it belongs to no reading of it


class Shape(msgspec.Struct, frozen=True):
    """What a payload holds: one reading, or several whose verdicts stand side by side."""

    payloads: list[bytes]
    is_batch: bool
