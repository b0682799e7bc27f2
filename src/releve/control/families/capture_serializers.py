"""The shapes of profilometres and captures on the wire."""

from typing import Any

from rest_framework import serializers

from releve.control.fleet.serializers import TeamName
from releve.history.stretch import Along

ALONG = [each.value for each in Along]
MOST_WIDTH = 1e9


class QuantitiesAnswer(serializers.Serializer[Any]):
    """A number for each channel that a capture has; null for one that it did not measure."""

    profile = serializers.FloatField(allow_null=True)
    temperature = serializers.FloatField(allow_null=True)
    humidity = serializers.FloatField(allow_null=True)
    distance = serializers.FloatField(allow_null=True)


class UnitsAnswer(serializers.Serializer[Any]):
    """Units; empty where nobody declared one: it is never guessed."""

    profile = serializers.CharField()
    temperature = serializers.CharField()
    humidity = serializers.CharField()
    distance = serializers.CharField()


class CaptureName(serializers.Serializer[Any]):
    """A capture in a list."""

    run = serializers.IntegerField()
    name = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    is_open = serializers.BooleanField()


class CaptureAnswer(CaptureName):
    """A capture as it stands."""

    first = serializers.DateTimeField(allow_null=True)
    last = serializers.DateTimeField(allow_null=True)
    n = serializers.IntegerField(help_text="Readings that count.")
    time_s = serializers.FloatField(help_text="From the first reading to the last.")
    length = serializers.FloatField(allow_null=True, help_text="Null where no distance is measured.")
    latest = QuantitiesAnswer()
    units = UnitsAnswer()
    statistics = serializers.DictField(
        child=serializers.FloatField(),
        help_text="`profile_rms`, `profile_peak`, `temperature_low`, `humidity_high` and so on, as in a run's summary.",
    )


class ProfilometreAnswer(serializers.Serializer[Any]):
    """A profilometre and its latest capture."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    team = TeamName()
    latest = CaptureName(allow_null=True)


class ProfilometreList(serializers.Serializer[Any]):
    """One page of profilometres."""

    data = ProfilometreAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.IntegerField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")


class ProfilometreWithCapture(ProfilometreAnswer):
    """A profilometre with one capture in figures, and its latest ones."""

    capture = CaptureAnswer(allow_null=True)
    captures = CaptureName(many=True)


class CaptureQuery(serializers.Serializer[Any]):
    """Which capture."""

    run = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="A capture of this device; its latest if left out."
    )


class StripQuery(serializers.Serializer[Any]):
    """How it is cut."""

    by = serializers.ChoiceField(choices=ALONG, default=Along.TIME.value)
    width = serializers.FloatField(
        required=False,
        min_value=0.001,
        max_value=MOST_WIDTH,
        help_text="In seconds, or in the unit of the distance; a round one that makes some 120 stretches if left out.",
    )


class StretchAnswer(serializers.Serializer[Any]):
    """One stretch of a capture; null for what it did not measure."""

    begin = serializers.FloatField(help_text="Seconds, or the distance, since the capture's first reading.")
    time = serializers.DateTimeField(help_text="Its first reading.")
    n = serializers.IntegerField()
    rms = serializers.FloatField(allow_null=True)
    peak = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    temperature = serializers.FloatField(allow_null=True)
    humidity = serializers.FloatField(allow_null=True)


class StripAnswer(serializers.Serializer[Any]):
    """A capture in stretches of equal length."""

    by = serializers.ChoiceField(choices=ALONG)
    width = serializers.FloatField()
    units = UnitsAnswer()
    is_cut_off = serializers.BooleanField(help_text="There are more stretches than one answer holds.")
    data = StretchAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
