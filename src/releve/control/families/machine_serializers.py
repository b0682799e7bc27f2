"""The shapes of gym machines on the wire."""

from typing import Any

from rest_framework import serializers

from releve.control.fleet.serializers import DeviceName, TeamName
from releve.history.working import Phase

PHASES = [phase.value for phase in Phase]


class SeriesAnswer(serializers.Serializer[Any]):
    """A set in figures; null for what its readings do not tell."""

    run = serializers.IntegerField(allow_null=True, help_text="The run that it is; null until that is cut.")
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(help_text="Its last reading so far.")
    repetitions = serializers.FloatField()
    time_s = serializers.FloatField()
    tempo_s = serializers.FloatField(allow_null=True, help_text="Seconds per repetition, in the mean.")
    tempo_loss_percent = serializers.FloatField(
        allow_null=True, help_text="How much longer the last two repetitions took than the first two."
    )
    tempo_change_percent = serializers.FloatField(
        allow_null=True, help_text="How much longer a repetition took than in the first set of the session."
    )
    rest_before_s = serializers.FloatField(allow_null=True)
    acceleration_peak = serializers.FloatField(allow_null=True, help_text="In m/s², gravity included.")
    acceleration_rms = serializers.FloatField(allow_null=True, help_text="In m/s², gravity included.")
    asymmetry = serializers.FloatField(allow_null=True, help_text="As the machine itself sends it, in the mean.")
    sideways_percent = serializers.FloatField(
        allow_null=True, help_text="How much of the movement lies off its own main line."
    )
    odd_even_percent = serializers.FloatField(
        allow_null=True, help_text="How much stronger the odd repetitions are than the even ones."
    )


class MachineAnswer(serializers.Serializer[Any]):
    """A machine at this moment."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    key = serializers.CharField(allow_null=True, help_text="What its readings call it: their `machine_id`.")
    team = TeamName()
    phase = serializers.ChoiceField(
        choices=PHASES, allow_null=True, help_text="Null where it was never worked on; a rest of 3 minutes frees it."
    )
    in_use = serializers.BooleanField(help_text="Somebody works or rests.")
    since = serializers.DateTimeField(allow_null=True, help_text="When that began.")
    since_s = serializers.FloatField(allow_null=True, help_text="How long ago that was: of a rest, its timer.")
    heard = serializers.DateTimeField(allow_null=True, help_text="Its latest reading, null if it sent none lately.")


class MachineList(serializers.Serializer[Any]):
    """One page of machines."""

    data = MachineAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.IntegerField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")


class MachineWithSet(MachineAnswer):
    """A machine at this moment, with the set under way or the last one."""

    devices = DeviceName(many=True)
    set = SeriesAnswer(allow_null=True)


class SeriesList(serializers.Serializer[Any]):
    """The sets of a day, in the order of time."""

    day = serializers.DateField()
    data = SeriesAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class DayQuery(serializers.Serializer[Any]):
    """Which day."""

    day = serializers.DateField(required=False, help_text="By the installation's time zone; today if left out.")


class RecordQuery(serializers.Serializer[Any]):
    """How far back."""

    days = serializers.IntegerField(default=30, min_value=1, max_value=366, help_text="Days, today included.")


class RecordAnswer(serializers.Serializer[Any]):
    """The best of something."""

    name = serializers.CharField()
    value = serializers.FloatField()
    unit = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="When the set began; null of a whole day.")
    day = serializers.DateField(allow_null=True)
    run = serializers.IntegerField(allow_null=True)


class RecordList(serializers.Serializer[Any]):
    """Records as they stand at this moment."""

    days = serializers.IntegerField()
    data = RecordAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
