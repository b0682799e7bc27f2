"""The file of the journal of revocations: what is read back, what is torn, and whose it is."""

import stat
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from releve.storage.revocation_journal import Entry, ForeignJournal, Journal

NOW = datetime(2026, 11, 27, 21, 9, 51, 123456, tzinfo=UTC)


def entry(principal="device:7", **fields):
    return Entry(key=uuid4(), at=NOW, principal=principal, born=NOW - timedelta(days=3), **fields)


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "keys", uuid4())
    made.begin()
    return made


def test_what_is_written_is_read_back(journal):
    entries = [
        entry(state={"stands": False, "verifier": "sealed"}),
        entry("signin:6f1f1a52-0c3f-4a51-8f43-1f8c53b9a0de", until=NOW + timedelta(days=30)),
        entry("account:3", state={"stands": True, "roles": {"1": "viewer"}}),
    ]

    journal.append(entries[:1])
    journal.append(entries[1:])
    journal.note_complete(NOW)

    contents = journal.read()
    assert (contents.entries, contents.complete_to, contents.damaged) == (entries, NOW, 0)


def test_a_journal_is_for_its_owners_eyes_only(journal):
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_torn_last_line_is_left_out_and_written_over(journal, kept):
    first, torn, again = entry(), entry(), entry()
    journal.append([first])
    before = journal.path.stat().st_size
    journal.append([torn])
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[:before] + whole[before:][:kept])
    reopened = Journal(journal.path.parent, journal._lineage)

    assert reopened.read().entries == [first]
    assert reopened.read().damaged == 0
    reopened.append([again])

    assert reopened.read().entries == [first, again]


def test_a_damaged_line_in_the_middle_is_told_and_harms_no_other(journal):
    first, second, third = entry(), entry("device:8"), entry()
    journal.append([first, second, third])
    journal.path.write_bytes(journal.path.read_bytes().replace(b"device:8", b"device:9"))

    contents = journal.read()

    assert contents.entries == [first, third]
    assert contents.damaged == 1


def test_another_installations_journal_is_refused(journal):
    other = Journal(journal.path.parent, uuid4())
    journal.append([entry()])
    journal.path.rename(other.path)

    with pytest.raises(ForeignJournal, match="another installation"):
        other.read()


@pytest.mark.parametrize("text", [b"", b"\n", b"device:7\n", b"releve revocations 9 x\n"])
def test_what_is_no_journal_is_refused(journal, text):
    journal.path.write_bytes(text)

    with pytest.raises(ForeignJournal):
        journal.read()


def test_an_instant_that_cannot_be_read_counts_as_long_ago(journal):
    journal.append([one := entry()])
    journal.note_complete(NOW)
    journal.path.write_bytes(journal.path.read_bytes().replace(b"2026-11-27T21:09", b"2026-11-2" + bytes(7), 1))

    contents = journal.read()

    assert contents.entries == [one]
    assert contents.complete_to < NOW - timedelta(days=365)


def test_an_empty_journal_is_taken_away_and_one_with_entries_is_not(journal):
    journal.append([entry()])
    journal.forget_if_empty()
    assert journal.exists()

    empty = Journal(journal.path.parent, uuid4())
    empty.begin()
    empty.note_complete(NOW)
    empty.forget_if_empty()

    assert not empty.exists()
