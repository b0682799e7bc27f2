"""Which channel names and types were judged good before, so that a device's next reading is not judged anew.

A device sends the same channels for years. What their names and types decide is decided once; what their values
decide, every time.
"""

from collections.abc import Callable
from typing import Any

from releve.protocol.channel import Layout
from releve.protocol.problem import BadReading
from releve.protocol.reading import INTEGER_LIMIT, NUMBER_LIMIT, check_real, take_channels

MOST_KNOWN = 1_024  # then everything is forgotten: a sender that invents names costs no memory


def _anything_goes(_fields: dict[str, Any]) -> None:
    """A contract that demands no channel."""


class Layouts:
    """The layouts of one contract.

    Args:
        judge: Raises `BadReading` when a name that the contract demands is missing or of another type; it may look at
            nothing else of the values.
    """

    __slots__ = ("_judge", "_known")

    def __init__(self, judge: Callable[[dict[str, Any]], None] = _anything_goes) -> None:
        self._judge = judge
        self._known: dict[tuple[object, ...], Layout] = {}

    def known(self, fields: dict[str, Any]) -> Layout | None:
        """The layout of fields whose values were held to the rules already; None where `take` has not seen it yet."""
        return self._known.get((*fields, *map(type, fields.values())))

    def take(self, fields: dict[str, Any], *, escaped_nul: bool) -> tuple[dict[str, Any], Layout]:
        """Hold the fields to the contract's demands and to the rules of channels.

        Args:
            fields: Channel name to value.
            escaped_nul: Whether the payload holds an escaped NUL at all.

        Raises:
            BadReading: The first field that breaks a rule, and why.
        """
        key = (*fields, *map(type, fields.values()))
        layout = self._known.get(key)
        if layout is None:
            self._judge(fields)
            channels = take_channels(fields, escaped_nul=escaped_nul)
            return channels, self._remember(key, fields)
        if not layout.is_simple:  # text and null are looked at every time
            return take_channels(fields, escaped_nul=escaped_nul), layout
        for name in layout.integers:
            if not -INTEGER_LIMIT <= fields[name] <= INTEGER_LIMIT:
                raise BadReading("integer beyond 2⁵³; send it as text", field=name)
        values = fields.values()
        if max(values) >= NUMBER_LIMIT or min(values) <= -NUMBER_LIMIT:
            for name, value in fields.items():
                check_real(name, value)
        return fields, layout

    def _remember(self, key: tuple[object, ...], fields: dict[str, Any]) -> Layout:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        layout = self._known[key] = Layout(fields)
        return layout
