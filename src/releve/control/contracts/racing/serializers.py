"""The shapes of contract B on the wire."""

from datetime import datetime
from math import isfinite
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from releve.protocol.contract import lenient

LARGEST_ID = 2**63 - 1
LARGEST = 1e150  # as for channels


@extend_schema_field(OpenApiTypes.DOUBLE)
class StrictNumber(serializers.Field[float, Any, float, Any]):
    """A number, or text that writes one: no truth value, finite."""

    default_error_messages = {"invalid": "A number is required."}  # noqa: RUF012 - the framework's way of declaring

    def to_internal_value(self, data: Any) -> float:
        """Take it as it is, or as it is written."""
        if type(data) is str:
            data = lenient.number_of(data)
        if type(data) not in {int, float} or not isfinite(data) or abs(data) > LARGEST:
            self.fail("invalid")
        return float(data)

    def to_representation(self, value: float) -> float:
        """Show it as it is."""
        return float(value)


class LenientDate(serializers.DateTimeField):
    """ISO 8601, or a date as in HTTP headers."""

    def to_internal_value(self, value: Any) -> datetime:
        """Read either."""
        written = lenient.instant_of(value) if isinstance(value, str) else None
        return written if written is not None else super().to_internal_value(value)


class Named(serializers.Serializer[Any]):
    """What a vehicle is called."""

    name = serializers.CharField(max_length=128)


class RaceBody(serializers.Serializer[Any]):
    """A race, and the vehicle that drives it, as a number or as numeric text."""

    vehicle_id = serializers.IntegerField(min_value=-LARGEST_ID, max_value=LARGEST_ID)
    name = serializers.CharField(max_length=200)


class RaceChange(RaceBody):
    """A race's new name, and its vehicle where that changes."""

    vehicle_id = serializers.IntegerField(min_value=-LARGEST_ID, max_value=LARGEST_ID, required=False)


class Correction(serializers.Serializer[Any]):
    """The statistics of a race as a person says they are."""

    distance = StrictNumber()
    speed_max = StrictNumber()
    speed_average = StrictNumber()
    battery_max = StrictNumber()
    battery_min = StrictNumber()
    time = StrictNumber(help_text="Seconds.")
    date = LenientDate()


class CorrectionOfRace(Correction):
    """The same, and the race it is about."""

    race_id = serializers.IntegerField(min_value=-LARGEST_ID, max_value=LARGEST_ID)
    date = LenientDate(required=False, help_text="By default the race's own start.")


class Vehicle(serializers.Serializer[Any]):
    """A vehicle."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class Race(serializers.Serializer[Any]):
    """A race."""

    id = serializers.IntegerField()
    vehicle_id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class RaceStatistics(serializers.Serializer[Any]):
    """What a race was; corrected by hand where a person did so."""

    id = serializers.IntegerField()
    race_id = serializers.IntegerField()
    distance = serializers.FloatField()
    speed_max = serializers.FloatField()
    speed_average = serializers.FloatField()
    battery_max = serializers.FloatField()
    battery_min = serializers.FloatField()
    time = serializers.FloatField()
    date = serializers.DateTimeField()


class RaceTotals(serializers.Serializer[Any]):
    """One race in the list of statistics."""

    sensor_data_race_id = serializers.IntegerField()
    total_entries = serializers.IntegerField()
    average_distance = serializers.FloatField()
    average_speed = serializers.FloatField()
    max_distance = serializers.FloatField()
    min_distance = serializers.FloatField()
    average_battery = serializers.FloatField()
    max_battery = serializers.FloatField()
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    time_difference = serializers.FloatField()


class FiveSeconds(serializers.Serializer[Any]):
    """Five seconds of a race."""

    id = serializers.IntegerField()
    race_id = serializers.IntegerField()
    distance = serializers.FloatField()
    speed = serializers.FloatField()
    date = serializers.DateTimeField()
    battery = serializers.FloatField()
    track = serializers.FloatField()


class Message(serializers.Serializer[Any]):
    """What happened, or why not."""

    message = serializers.CharField()


class VehicleData(serializers.Serializer[Any]):
    """A vehicle that was asked for."""

    data = Vehicle()  # type: ignore[assignment] # the metaclass takes it away again


class VehicleList(serializers.Serializer[Any]):
    """Every vehicle."""

    data = Vehicle(many=True)  # type: ignore[assignment] # see above


class VehicleChanged(VehicleData):
    """A vehicle that was added or changed."""

    message = serializers.CharField()


class RaceData(serializers.Serializer[Any]):
    """A race that was asked for."""

    data = Race()  # type: ignore[assignment] # see above


class RaceList(serializers.Serializer[Any]):
    """Every race."""

    data = Race(many=True)  # type: ignore[assignment] # see above


class RaceChanged(RaceData):
    """A race that was added or changed."""

    message = serializers.CharField()


class StatisticsList(serializers.Serializer[Any]):
    """The statistics of one race."""

    data = RaceStatistics(many=True)  # type: ignore[assignment] # see above


class StatisticsChanged(serializers.Serializer[Any]):
    """The statistics of one race after they were changed."""

    message = serializers.CharField()
    data = RaceStatistics()  # type: ignore[assignment] # see above
