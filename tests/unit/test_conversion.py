"""Numbers are shown in other units when they are read; everything else stays."""

import numpy as np

from releve.history.block import Block
from releve.history.column import ABSENT_VALUE, Column
from releve.history.conversion import Conversion, converted

VALUES = [12, 12.5, "text", True, ABSENT_VALUE]


def block(**channels):
    return Block(np.arange(len(VALUES)), {name: Column.of(values) for name, values in channels.items()})


def test_numbers_are_multiplied_and_shifted_and_text_states_and_gaps_stay():
    found = converted(block(a=VALUES, b=VALUES), {"a": Conversion(scale=2.0, offset=1.0)})

    assert found.channels["a"].values() == [25.0, 26.0, "text", True, ABSENT_VALUE]
    assert found.channels["b"].values() == VALUES


def test_a_block_without_the_channel_is_itself():
    whole = block(a=VALUES)

    assert converted(whole, {"b": Conversion(scale=2.0)}) is whole
