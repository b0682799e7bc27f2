"""A verdict that is written at once is, to the byte, the one that is made of its members."""

from hypothesis import given
from hypothesis import strategies as st

from releve.http.answer import encode
from releve.ingest.verdict import spelt, spelt_all, verdict
from releve.protocol.clock import Rule
from releve.protocol.outcome import Notice, Outcome, Receipt, counted

texts = st.one_of(st.none(), st.text(max_size=20))
receipts = st.builds(
    Receipt,
    st.sampled_from(Outcome),
    st.one_of(st.none(), st.integers(0, 4_102_444_800_000_000)),
    st.one_of(st.none(), st.sampled_from(Rule)),
    texts,
    texts,
    st.lists(st.builds(Notice, st.text(max_size=5), st.text(max_size=5)), max_size=2).map(tuple),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(Outcome), st.integers(0, 9), min_size=1)),
)
STORED = Receipt(Outcome.STORED, 1_780_315_200_000_000, Rule.ZONED)


@given(receipts)
def test_a_verdict_is_spelt_as_its_members_are(receipt):
    assert spelt(receipt) == encode(verdict(receipt))


@given(st.lists(receipts, max_size=6))
def test_a_batchs_verdicts_are_spelt_as_their_members_are(several):
    counts = counted(several)
    document = {
        **{outcome.value: counts[outcome] for outcome in Outcome},
        "readings": [{"index": index, **verdict(receipt)} for index, receipt in enumerate(several)],
    }

    assert spelt_all(several) == encode(document)


def test_a_short_answer_leaves_out_what_was_stored_as_it_was_sent_and_keeps_the_places_of_the_others():
    refused = Receipt(Outcome.REFUSED, field="speed", reason="is none")

    assert spelt_all([STORED, refused, STORED], is_minimal=True) == (
        b'{"stored":2,"duplicate":0,"quarantined":0,"refused":1,"readings":'
        b'[{"index":1,"outcome":"refused","duplicate":false,"field":"speed","reason":"is none"}]}'
    )
