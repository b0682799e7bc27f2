"""Every sequence of presentations of a family's refresh tokens ends as a small model says."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from releve.control.accounts.models import AuditEvent, AuditKind
from releve.control.accounts.origin import Origin
from releve.control.accounts.sign_in import TokenReused, _pair, refresh, start
from releve.protocol.token import TokenInvalid

HERE = Origin(address="192.0.2.1", user_agent="test")
GRACE_S = 60
LIFE_S = 30 * 86400
PAUSES_S = st.sampled_from([0, 1, 59, 60, 61, 900, 86_400, LIFE_S - 1, LIFE_S, -7200, -61])
# Which of the tokens issued so far is presented: 0 the first one, -1 the newest, -2 its parent, and so on.
PRESENTATIONS = st.lists(st.tuples(PAUSES_S, st.sampled_from([0, -1, -1, -2, -3])), min_size=1, max_size=12)


class Model:
    """A family as its specification words it: tokens in the order of their issue, and what their client has shown."""

    def __init__(self, first: str, now_s: float) -> None:
        self.issued = [first]
        self.ends_s = [now_s + LIFE_S]
        self.rotated_s = now_s
        self.stores_what_it_is_given = False
        self.is_revoked = False

    def present(self, index: int, now_s: float) -> str:
        """What must come of it: `rotates`, `same`, `reuse` or `refused`."""
        if now_s >= self.ends_s[index]:
            return "refused"
        if not self._is_good(index, now_s):
            self.is_revoked = True
            return "reuse"
        if self.is_revoked or now_s >= self.ends_s[-1]:
            return "refused"
        if index == len(self.issued) - 1:
            self.stores_what_it_is_given = index > 0
            return "rotates"
        return "same"

    def _is_good(self, index: int, now_s: float) -> bool:
        is_first = index == 0 and not self.stores_what_it_is_given
        is_parent = index == len(self.issued) - 2 and -5 <= now_s - self.rotated_s <= GRACE_S
        return index == len(self.issued) - 1 or is_first or is_parent

    def rotated(self, successor: str, now_s: float) -> None:
        self.issued.append(successor)
        self.ends_s.append(now_s + LIFE_S)
        self.rotated_s = now_s


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PRESENTATIONS)
@example([(0, 0), (0, -1), (0, 0), (0, -2)])  # the parent of the newest one, after somebody else was noticed
@example([(0, 0), (-7200, -1), (LIFE_S, 0)])  # a clock set back: the newest token ends before the first one does
def test_every_sequence_of_presentations_ends_as_the_model_says(alice, presentations):
    with transaction.atomic():
        began = timezone.now().replace(microsecond=0)
        model = Model(_pair(start(alice, HERE, began), began).refresh, 0)
        now_s = 0
        for pause_s, place in presentations:
            now_s += pause_s
            index = place if place >= 0 else max(0, len(model.issued) + place)
            wanted = model.present(index, now_s)

            outcome, successor = _presented(model.issued[index], began + timedelta(seconds=now_s))

            assert outcome == {"rotates": "answered", "same": "answered"}.get(wanted, wanted)
            if wanted == "same":
                assert successor == model.issued[-1]
            elif wanted == "rotates":
                assert successor not in model.issued
                model.rotated(successor, now_s)
        assert AuditEvent.objects.filter(kind=AuditKind.REFRESH_REUSED).count() == model.is_revoked
        assert AuditEvent.objects.filter(is_alert=True).count() == model.is_revoked
        transaction.set_rollback(True)


def _presented(text, now):
    try:
        return "answered", refresh(text, HERE, now).refresh
    except TokenReused:
        return "reuse", None
    except TokenInvalid:
        return "refused", None
