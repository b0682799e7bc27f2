"""The shapes of runs on the wire."""

import re
from typing import Any

from rest_framework import serializers

from releve.control.api.body import Body
from releve.control.api.page import LARGEST_ID, PageQuery
from releve.control.runs.api.instant import InstantField, StartField
from releve.control.runs.models import Kind
from releve.protocol.run.statistic import FUNCTIONS

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_WIDTH = re.compile(r"^(\d{1,9}(?:\.\d{1,3})?)(ms|s|min|m|h|d)?\Z")
DEFAULT_WIDTH_S, DEFAULT_FUNCTIONS = 5.0, ("mean", "low", "high")
SHORTEST_S, LONGEST_S = 0.001, 366 * 86400.0


class WidthField(serializers.CharField):
    """A length of time such as `5s`, `500ms`, `1m`, `1h`; without a unit, seconds."""

    def to_internal_value(self, data: Any) -> Any:
        """The length in seconds."""
        found = _WIDTH.match(super().to_internal_value(data))
        width_s = float(found[1]) * UNITS_S[found[2] or "s"] if found else 0.0
        if not SHORTEST_S <= width_s <= LONGEST_S:
            raise serializers.ValidationError("Write a length of time such as 5s, 500ms, 1m or 1h; at least 1ms.")
        return width_s


class FunctionsField(serializers.CharField):
    """Names of functions, separated by commas."""

    def to_internal_value(self, data: Any) -> Any:
        """The names, each known."""
        names = [name.strip() for name in super().to_internal_value(data).split(",") if name.strip()]
        unknown = sorted(set(names) - set(FUNCTIONS))
        if unknown or not names:
            raise serializers.ValidationError(f"Choose of {', '.join(FUNCTIONS)}.")
        return names


class RunQuery(PageQuery):
    """Which runs."""

    device = serializers.IntegerField(
        required=False, min_value=1, max_value=2**31 - 1, help_text="Only of this device."
    )
    asset = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID, help_text="Only of this asset.")
    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    open = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only those that go on, or only those that have ended."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` and `to`, which Python keeps for itself."""
        return {
            **super().get_fields(),
            "from": InstantField(required=False, help_text="Only runs that last longer than until then."),
            "to": InstantField(required=False, help_text="Only runs that start before."),
        }


class NamedThing(serializers.Serializer[Any]):
    """Something by its id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class RunAnswer(serializers.Serializer[Any]):
    """A run; `ended_at` is the first instant after it, null while it goes on."""

    id = serializers.IntegerField()
    team = NamedThing()
    device = NamedThing(allow_null=True)
    asset = NamedThing(allow_null=True)
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    part = serializers.CharField(help_text="Whose readings, where a device serves several: `machine_id=7`. Else empty.")
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    is_open = serializers.BooleanField()
    is_inferred = serializers.BooleanField(help_text="Cut from the readings by the rule of its kind.")
    is_hand_cut = serializers.BooleanField(help_text="A person set bounds of it; no rule moves those.")
    change = serializers.IntegerField(allow_null=True, help_text="The last change; what `undo` takes back.")


class ChannelStatistic(serializers.Serializer[Any]):
    """What a channel did; the deviation is the population's."""

    n = serializers.IntegerField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    mean = serializers.FloatField()
    deviation = serializers.FloatField()
    first = serializers.FloatField()
    last = serializers.FloatField()
    unit = serializers.CharField(required=False, help_text="Of all but `n`; missing where the channel has none.")


class GapAnswer(serializers.Serializer[Any]):
    """A time in which readings are missing."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    length_s = serializers.FloatField()


class CompletenessAnswer(serializers.Serializer[Any]):
    """Received against expected by the device's own rhythm, which is the median gap of the first thousand."""

    received = serializers.IntegerField()
    expected = serializers.IntegerField()
    ratio = serializers.FloatField()
    rhythm_s = serializers.FloatField(allow_null=True)
    gaps = GapAnswer(many=True)


class LapAnswer(serializers.Serializer[Any]):
    """One lap of a race."""

    track = serializers.FloatField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    time_s = serializers.FloatField()
    distance = serializers.FloatField(allow_null=True)


class DeletedStretch(serializers.Serializer[Any]):
    """A stretch of a run of which readings were deleted, as its team asked."""

    channel = serializers.CharField(help_text="Of which only this channel was; empty for whole readings.")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class SummaryAnswer(serializers.Serializer[Any]):
    """What a run was, from every reading that counts now."""

    first = serializers.DateTimeField(allow_null=True, help_text="Instant of the first reading.")
    last = serializers.DateTimeField(allow_null=True, help_text="Instant of the last reading.")
    channels = serializers.DictField(child=ChannelStatistic())
    completeness = CompletenessAnswer()
    statistics = serializers.DictField(help_text="What its kind is looked at for; what was not measured is missing.")
    units = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="By the names of statistics their units."
    )
    by_hand = serializers.ListField(child=serializers.CharField(), help_text="Statistics that a person set.")
    laps = LapAnswer(many=True)
    deleted = DeletedStretch(
        many=True,
        help_text="Where readings were deleted; figures that need them are left out.",
    )


class RunWithSummary(RunAnswer):
    """A run and its summary."""

    summary = SummaryAnswer()


class RunList(serializers.Serializer[Any]):
    """One page of runs."""

    data = RunAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.IntegerField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")


class RunRequest(Body):
    """A new run; its team is the device's, or else the asset's."""

    device = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**31 - 1)
    asset = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=LARGEST_ID)
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    started_at = StartField(required=False, help_text="Now, where it is left out.")
    ended_at = InstantField(required=False, allow_null=True)
    part = serializers.RegexField(r"^([^=\s]+=.+)?\Z", max_length=200, required=False, default="", allow_blank=True)


class RunChange(Body):
    """What may be changed of a run: its name, and its bounds (null re-opens it)."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    started_at = StartField(required=False)
    ended_at = InstantField(required=False, allow_null=True)


class CloseRequest(Body):
    """When the run ended; now, where it is left out."""

    ended_at = InstantField(required=False)


class MergeRequest(Body):
    """The run to take in."""

    run = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)


class SplitRequest(Body):
    """Where to cut; a reading at that very instant is the second run's."""

    at = InstantField()


class UndoRequest(Body):
    """Which change to take back; the last one of the run's bounds or name, where it is left out."""

    change = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


class RunPair(serializers.Serializer[Any]):
    """The runs that a change left."""

    data = RunAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class ChangeAnswer(serializers.Serializer[Any]):
    """Something that a person did to the run."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)
    detail = serializers.DictField(
        child=serializers.CharField(), help_text="What was left out and why, or which statistics were set; else empty."
    )


class ChangeList(serializers.Serializer[Any]):
    """What people did to the run, the latest first."""

    data = ChangeAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class BucketQuery(serializers.Serializer[Any]):
    """How wide, what of each, and where to go on."""

    bucket = WidthField(
        required=False, help_text="Width, 5 s if left out: `5s`, `500ms`, `1m`, `1h`. Multiples of 5 s are the fastest."
    )
    fn = FunctionsField(
        required=False, help_text=f"Of {', '.join(FUNCTIONS)}, separated by commas; mean, low and high if left out."
    )
    after = InstantField(required=False, help_text="The `next` of the page before.")
    limit = serializers.IntegerField(
        default=10_000, min_value=1, max_value=100_000, help_text="Widest page, in buckets."
    )


class BucketAnswer(serializers.Serializer[Any]):
    """One bucket that has readings, and the asked functions of each channel."""

    start = serializers.DateTimeField()
    channels = serializers.DictField(child=serializers.DictField(child=serializers.FloatField()))


class BucketList(serializers.Serializer[Any]):
    """Buckets in the order of time; they start at multiples of their width since 1970."""

    data = BucketAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.DateTimeField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")
    units = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="By the names of channels their units."
    )


class ExclusionRequest(Body):
    """The readings to leave out: all from `since` up to `until`, or the one of that identity at `since`."""

    since = InstantField()
    until = InstantField(required=False)
    reading = serializers.RegexField(
        r"^-?\d{1,19}\Z", required=False, help_text="Identity of one reading, as text: it has 64 bits."
    )
    reason = serializers.CharField(max_length=500)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One reading needs no end, a span does."""
        if "until" not in attrs and "reading" not in attrs:
            raise serializers.ValidationError({"until": "This field is required for a span."})
        return attrs


class ExclusionAnswer(serializers.Serializer[Any]):
    """Readings that are left out of every statistic."""

    id = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    reading = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class ExclusionList(serializers.Serializer[Any]):
    """What is left out of the run's statistics."""

    data = ExclusionAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class HandStatistics(Body):
    """Statistics set by hand, by their names."""

    statistics = serializers.DictField(child=serializers.FloatField(), allow_empty=False)
