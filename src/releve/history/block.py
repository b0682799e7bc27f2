"""Many readings of one device in memory, a column for everything that a reading has, in the order of time and id."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from releve.history.array import Index, Integers, Kinds, joined_kinds, taken_kinds
from releve.history.coded import Coded
from releve.history.coded import joined as joined_texts
from releve.history.column import Column
from releve.history.column import joined as joined_columns
from releve.history.sent import Sent
from releve.history.sent import joined as joined_sent


class Row(NamedTuple):
    """One reading as it is stored, to the byte.

    Attributes:
        time_us: Its instant, microseconds since 1970 UTC.
        id: Its identity within the device and instant.
        received_us: When it was received.
        channels: Its channels, canonical JSON.
        sent: The timestamp as sent, where the time alone does not say it.
    """

    time_us: int
    id: int
    received_us: int
    channels: bytes
    sent: str | None = None


class Identities(NamedTuple):
    """How each reading's identity is known.

    Attributes:
        rules: A `identity.Rule` for each.
        own: The identity where the rule is that it is kept, 0 elsewhere.
    """

    rules: Kinds
    own: Integers

    def take(self, index: Index) -> Self:
        """Those at the index."""
        return type(self)(taken_kinds(self.rules, index), self.own[index])


class Block:
    """Readings as columns; what was not asked for is None, and has no column.

    Attributes:
        time_us: Instants.
        channels: A column each.
        received_us: When they were received.
        identities: How their identities are known.
        sent: Their timestamps as sent.
        odd: The channels' JSON of those that are not in canonical spelling; None where all are.
        is_whole: Whether every channel is there, so that texts and identities can be made of them.
    """

    __slots__ = ("channels", "identities", "is_whole", "odd", "received_us", "sent", "time_us")

    def __init__(
        self,
        time_us: Integers,
        channels: dict[str, Column],
        *,
        received_us: Integers | None = None,
        identities: Identities | None = None,
        sent: Sent | None = None,
        odd: Coded | None = None,
        is_whole: bool = False,
    ) -> None:
        self.time_us = time_us
        self.channels = channels
        self.received_us = received_us
        self.identities = identities
        self.sent = sent
        self.odd = odd
        self.is_whole = is_whole

    def __len__(self) -> int:
        return len(self.time_us)

    def column(self, name: str) -> Column:
        """The column of a channel, which none of the readings need have."""
        found = self.channels.get(name)
        return Column.absent(len(self)) if found is None else found

    def take(self, index: Index) -> Self:
        """The readings at the index."""
        return type(self)(
            self.time_us[index],
            {name: column.take(index) for name, column in self.channels.items()},
            received_us=None if self.received_us is None else self.received_us[index],
            identities=None if self.identities is None else self.identities.take(index),
            sent=None if self.sent is None else self.sent.take(index),
            odd=None if self.odd is None else self.odd.take(index),
            is_whole=self.is_whole,
        )

    def within(self, from_us: int, to_us: int) -> Self:
        """Those of the span [from, to); the columns are shared, not copied."""
        first, last = np.searchsorted(self.time_us, [from_us, to_us]).tolist()
        return self if (first, last) == (0, len(self)) else self.take(slice(first, max(first, last)))


def joined(blocks: Sequence[Block]) -> Block:
    """Blocks one after the other, with the channels that any of them has."""
    if len(blocks) == 1:
        return blocks[0]
    names = dict.fromkeys(name for block in blocks for name in block.channels)
    lengths = [len(block) for block in blocks]
    received = [block.received_us for block in blocks if block.received_us is not None]
    identities = [block.identities for block in blocks if block.identities is not None]
    sent = [block.sent for block in blocks]
    return Block(
        np.concatenate([block.time_us for block in blocks]),
        {name: joined_columns([block.column(name) for block in blocks]) for name in names},
        received_us=np.concatenate(received) if len(received) == len(blocks) else None,
        identities=_joined_identities(identities) if len(identities) == len(blocks) else None,
        sent=joined_sent([each for each in sent if each is not None]) if None not in sent else None,
        odd=joined_texts([block.odd for block in blocks], lengths),
        is_whole=all(block.is_whole for block in blocks),
    )


def _joined_identities(parts: list[Identities]) -> Identities:
    return Identities(joined_kinds([part.rules for part in parts]), np.concatenate([part.own for part in parts]))
