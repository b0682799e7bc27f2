"""A quote that is never closed costs its own line; a quoted cell may hold line breaks, within a bound."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.cli.importing.file import opened_file
from releve.cli.importing.record import LINES, Records
from releve.protocol.reading import TEXT_LIMIT

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters='\0"\r\n'), min_size=1, max_size=12)


def read(tmp_path, lines, header="time,speed,note"):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8", newline="")
    with opened_file(path, None) as source:
        return {line.number: line for line in source.lines}


def lines(count, note="lap"):
    return [f"2026-06-01T12:00:{second % 60:02}Z,{second}.5,{note}" for second in range(count)]


def test_an_unclosed_quote_refuses_its_line_and_every_other_is_read(tmp_path):
    given = lines(3_000)
    given[1] = given[1].replace("lap", '"lap')

    found = read(tmp_path, given)

    assert [number for number, line in found.items() if line.problem] == [3]
    assert "not closed" in str(found[3].problem)
    assert len(found) == 3_000
    assert found[4].values["speed"] == 2.5


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("closing", ['5"', 'say "hi"', '"ok"', '"a""b"', '""'])
def test_a_later_quote_does_not_make_an_open_one_swallow_the_lines_between(tmp_path, place, closing):
    given = lines(9)
    cells = given[2].split(",")
    cells[place] = f'"{cells[place]}'
    given[2] = ",".join(cells)
    given[6] = given[6].replace("lap", closing)

    found = read(tmp_path, given)

    assert [number for number, line in found.items() if line.problem] == [4]
    assert list(found) == list(range(2, 11))


def test_an_unclosed_quote_in_the_last_line_refuses_that_line(tmp_path):
    found = read(tmp_path, [*lines(3), '2026-06-01T12:01:00Z,1,"x'])

    assert [number for number, line in found.items() if line.problem] == [5]


def test_lines_that_are_no_readings_are_swallowed_no_further_than_the_bound(tmp_path):
    given = ['2026-06-01T12:00:00Z,1,"x', *["words"] * (LINES + TEXT_LIMIT), *lines(2)]

    found = read(tmp_path, given)

    assert str(found[2].problem).startswith("a quote in it is not closed")
    assert str(found[3].problem) == "1 cells under 3 columns"
    assert found[len(given)].values["note"] == "lap"


def test_a_quoted_cell_may_hold_line_breaks_and_quotes(tmp_path):
    found = read(tmp_path, ['2026-06-01T12:00:00Z,1,"first\nsecond, ""third"""', *lines(1)])

    assert found[2].values["note"] == 'first\nsecond, "third"'
    assert list(found) == [2, 4]


def test_what_follows_a_closing_quote_refuses_the_line_alone(tmp_path):
    found = read(tmp_path, ['2026-06-01T12:00:00Z,1,"a"b', *lines(2)])

    assert [number for number, line in found.items() if line.problem] == [2]


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_what_a_csv_writer_wrote_is_read_as_it_was(rows, separator):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)

    records = list(Records(io.StringIO(text.getvalue(), newline=""), separator))

    assert [record.cells for record in records] == rows


@given(st.data())
def test_one_quote_anywhere_never_costs_more_than_its_own_line(tmp_path_factory, data):
    given = lines(6)
    row = data.draw(st.integers(0, 5))
    column = data.draw(st.integers(0, len(given[row])))
    given[row] = f'{given[row][:column]}"{given[row][column:]}'

    found = read(tmp_path_factory.mktemp("quote"), given)

    others = {number: line for number, line in found.items() if number != row + 2}
    assert len(others) == 5
    assert all(line.problem is None for line in others.values())
