"""The API of the room that readings take."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.keeping.storage import storage_of


class TakenAnswer(serializers.Serializer[Any]):
    """What one device takes."""

    device = serializers.IntegerField()
    name = serializers.CharField()
    readings = serializers.IntegerField(help_text="Sealed ones; those of the last hour are rows.")
    bytes = serializers.IntegerField(help_text="Its part of what the tables take, with indexes and ladders.")
    bytes_a_day = serializers.IntegerField(help_text="At the rate of the last seven days.")


class DayAnswer(serializers.Serializer[Any]):
    """What one device's readings of one day take."""

    device = serializers.IntegerField()
    day = serializers.DateField()
    bytes = serializers.IntegerField()


class DiskAnswer(serializers.Serializer[Any]):
    """The disk of the database."""

    free_bytes = serializers.IntegerField()
    total_bytes = serializers.IntegerField()
    bytes_a_day = serializers.IntegerField(help_text="Of the whole installation.")
    full_on = serializers.DateField(allow_null=True, help_text="At that rate; null when that is not foreseen.")
    is_soon = serializers.BooleanField(help_text="Whether that is within 30 days.")


class StorageAnswer(serializers.Serializer[Any]):
    """What the devices of your teams take."""

    bytes = serializers.IntegerField()
    bytes_a_day = serializers.IntegerField()
    devices = TakenAnswer(many=True)
    days = DayAnswer(many=True)
    disk = DiskAnswer(allow_null=True, help_text="Null where the database is on another machine.")


class StorageView(OwnView):
    """The room that readings take."""

    @extend_schema(operation_id="storage", tags=["Keeping"], responses={200: StorageAnswer, **refusals(403)})
    def get(self, request: Request) -> Response:
        """Say what the devices of your teams take, day by day for a month, and when the disk is full."""
        found = storage_of(person(request))
        return Response(
            {
                "bytes": sum(each.bytes for each in found.devices),
                "bytes_a_day": sum(each.bytes_a_day for each in found.devices),
                "devices": [
                    {
                        "device": each.device_id,
                        "name": found.names[each.device_id],
                        "readings": each.readings,
                        "bytes": each.bytes,
                        "bytes_a_day": each.bytes_a_day,
                    }
                    for each in found.devices
                ],
                "days": [{"device": each.device_id, "day": each.day, "bytes": each.bytes} for each in found.days],
                "disk": None if found.disk is None else asdict(found.disk),
            }
        )
