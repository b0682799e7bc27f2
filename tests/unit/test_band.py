"""The pictures of a run: where the band lies, where it breaks, and what is marked."""

from datetime import UTC, datetime, timedelta

from releve.control.pages.run.band import HEIGHT, WIDTH, Bucket, Frame, pieces

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIVE = timedelta(seconds=5)
FRAME = Frame(since=START, until=START + 20 * FIVE)


def bucket(place, low, high, mean=None):
    return Bucket(start=START + place * FIVE, low=low, high=high, mean=(low + high) / 2 if mean is None else mean)


def points(text):
    return [tuple(map(float, point.split(","))) for point in text.split()]


def drawn(buckets, patience=FIVE):
    return pieces(buckets, frame=FRAME, width=FIVE, patience=patience)


def test_the_band_reaches_from_the_lowest_to_the_highest_and_the_line_lies_within():
    (piece,) = drawn([bucket(place, place, place + 10.0) for place in range(20)])

    band, line = points(piece.band), points(piece.line)
    assert (min(x for x, _ in band), max(x for x, _ in band)) == (0, WIDTH)
    assert 0 < min(y for _, y in band) < max(y for _, y in band) < HEIGHT
    assert line[0][1] > line[-1][1]  # what rises goes up, and y goes down
    assert len(band) == 2 * len(line)


def test_the_band_breaks_where_nothing_was_heard_for_longer_than_the_patience():
    buckets = [bucket(place, 0.0, place + 1.0) for place in (0, 1, 2, 8, 9, 19)]

    assert len(drawn(buckets)) == 3
    assert len(drawn(buckets, patience=6 * FIVE)) == 2


def test_a_bucket_alone_is_as_wide_as_it_lasted():
    (piece,) = drawn([bucket(4, 1.0, 2.0)])

    places = [x for x, _ in points(piece.line)]
    assert (places[0], places[-1]) == (120, 150)


def test_what_never_changes_is_not_drawn():
    assert drawn([bucket(place, 7.0, 7.0) for place in range(20)]) == []
    assert drawn([]) == []


def test_nothing_is_drawn_outside_the_frame_and_what_is_short_is_still_seen():
    before, after = START - FIVE, FRAME.until + FIVE

    assert (FRAME.mark((before, after)).x, FRAME.mark((before, after)).width) == ("0.0", "600.0")
    assert float(FRAME.mark((START, START + timedelta(microseconds=1))).width) > 1
