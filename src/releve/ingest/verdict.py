"""What the sender of readings is told of each: its outcome, its time and the rule that gave it, or why not."""

from collections.abc import Sequence
from typing import Any

from releve.http.answer import encode
from releve.protocol.instant import iso
from releve.protocol.outcome import Outcome, Receipt, counted

_FORMS = {  # a rule's name needs no escaping
    Outcome.STORED: '{"outcome":"stored","duplicate":false,"time":"%s","clock":"%s"}',
    Outcome.DUPLICATE: '{"outcome":"duplicate","duplicate":true,"time":"%s","clock":"%s"}',
}
_OF_WAVEFORM = (Outcome.STORED, Outcome.DUPLICATE, Outcome.QUARANTINED)


def verdict(receipt: Receipt) -> dict[str, Any]:
    """What one reading's sender is told beside its contract's own words; of a waveform, how many of it ended how."""
    document: dict[str, Any] = {"outcome": receipt.outcome, "duplicate": receipt.outcome is Outcome.DUPLICATE}
    if receipt.counts is not None:
        document |= {"readings": sum(receipt.counts.values())}
        document |= {outcome.value: receipt.counts.get(outcome, 0) for outcome in _OF_WAVEFORM}
    if receipt.time_us is not None:
        document["time"] = iso(receipt.time_us)
        document["clock"] = receipt.clock
    if receipt.reason is not None:
        document["field"] = receipt.field
        document["reason"] = receipt.reason
    if receipt.notices:
        document["warnings"] = [{"field": notice.field, "reason": notice.reason} for notice in receipt.notices]
    return document


def spelt(receipt: Receipt) -> bytes:
    """The same in JSON; what most readings come to is written without an object for each member.

    >>> spelt(Receipt(Outcome.STORED, 1_767_225_600_250_000, "zoned"))
    b'{"outcome":"stored","duplicate":false,"time":"2026-01-01T00:00:00.250000Z","clock":"zoned"}'
    """
    form = _FORMS.get(receipt.outcome)
    is_usual = receipt.reason is None and not receipt.notices and receipt.counts is None
    if form is None or not is_usual or receipt.time_us is None or receipt.clock is None:
        return encode(verdict(receipt))
    return (form % (iso(receipt.time_us), receipt.clock)).encode()


def spelt_all(receipts: Sequence[Receipt], *, is_minimal: bool = False) -> bytes:
    """What a batch's sender is told, in JSON: the count of each outcome, and a verdict per reading, in order.

    Args:
        receipts: Of the batch's items.
        is_minimal: Whether the sender need not be told of what was stored as it was sent.
    """
    counts = counted(receipts)
    heading = encode({outcome.value: counts[outcome] for outcome in Outcome})
    each = [
        b'{"index":%d,%b' % (index, spelt(receipt)[1:])
        for index, receipt in enumerate(receipts)
        if not (is_minimal and _is_plain(receipt))
    ]
    return b'%b,"readings":[%b]}' % (heading[:-1], b",".join(each))


def _is_plain(receipt: Receipt) -> bool:
    return receipt.outcome is Outcome.STORED and not receipt.notices


def wants_minimum(prefer: bytes) -> bool:
    """Whether the header `Prefer` asks for a short answer (RFC 7240, section 4.2); of several the first counts.

    >>> wants_minimum(b'respond-async, return="minimal"; foo=1')
    True
    >>> wants_minimum(b"return=representation, return=minimal")
    False
    """
    for preference in prefer.lower().split(b","):
        name, _, value = preference.partition(b";")[0].partition(b"=")
        if name.strip() == b"return":
            return value.strip().strip(b'"') == b"minimal"
    return False
