"""Columns are read from rows under any name that a channel may have."""

import json

import pytest

from releve.storage.page import columns_of


@pytest.mark.parametrize("name", ['a "quoted" one', "back\\slash", "\x1b[31m", "tab\t", "é", "plain"])
def test_a_channel_is_found_whatever_its_name_holds(name):
    lines = [json.dumps({name: 1, "other": 2}, ensure_ascii=False), json.dumps({"other": 3}), json.dumps({name: 4.5})]

    columns = columns_of(lines, (name, "other"), has_old=False)

    assert [columns[name].values()[place] for place in (0, 2)] == [1, 4.5]
    assert columns["other"].values()[1] == 3
