"""The shapes of vehicles and races on the wire."""

from typing import Any

from rest_framework import serializers

from releve.control.fleet.serializers import DeviceName, TeamName


class QuantityAnswer(serializers.Serializer[Any]):
    """A number with its unit."""

    value = serializers.FloatField(allow_null=True)
    unit = serializers.CharField(help_text="Empty where nobody declared one: it is never guessed.")


class WholeLap(serializers.Serializer[Any]):
    """A whole lap."""

    lap = serializers.FloatField()
    started_at = serializers.DateTimeField()
    time_s = serializers.FloatField()
    distance = serializers.FloatField(allow_null=True)
    energy = serializers.FloatField(allow_null=True, help_text="What it took from the battery, in its unit.")
    is_best = serializers.BooleanField()


class RaceAnswer(serializers.Serializer[Any]):
    """A race as it stands."""

    run = serializers.IntegerField()
    name = serializers.CharField()
    is_open = serializers.BooleanField()
    started_at = serializers.DateTimeField()
    heard = serializers.DateTimeField(allow_null=True, help_text="Its latest reading.")
    is_heard = serializers.BooleanField(help_text="The car has said something in the last 10 s.")
    speed = QuantityAnswer()
    distance = QuantityAnswer()
    battery = QuantityAnswer()
    lap = serializers.FloatField(allow_null=True, help_text="Under way; null once the race has ended.")
    lap_time_s = serializers.FloatField(allow_null=True, help_text="How long that has taken so far.")
    last_lap = WholeLap(allow_null=True)
    best_lap = WholeLap(allow_null=True)
    delta_s = serializers.FloatField(
        allow_null=True, help_text="Later than at the same place on the reference lap; less than 0 is quicker."
    )
    reference_lap = serializers.FloatField(allow_null=True)
    energy_per_lap = serializers.FloatField(allow_null=True, help_text="Mean of the last three, in the battery's unit.")
    laps_left = serializers.FloatField(
        allow_null=True, help_text="Null unless the battery's unit is declared as one that empties to 0, such as %."
    )
    laps = WholeLap(many=True)


class VehicleAnswer(serializers.Serializer[Any]):
    """A vehicle and which race is its latest."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    team = TeamName()
    race_name = serializers.CharField(allow_null=True)
    is_racing = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True, help_text="When its latest race began.")


class LiveVehicleList(serializers.Serializer[Any]):
    """One page of vehicles."""

    data = VehicleAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.IntegerField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")


class VehicleWithRace(VehicleAnswer):
    """A vehicle with its race under way, or its latest."""

    devices = DeviceName(many=True)
    race = RaceAnswer(allow_null=True)
