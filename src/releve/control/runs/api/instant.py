"""The instants that people give for runs, on the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from releve.protocol.clock import AHEAD_US

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class InstantField(serializers.DateTimeField):
    """An instant within the years that arithmetic around it is safe in."""

    def to_internal_value(self, value: Any) -> datetime:
        """The instant."""
        instant = super().to_internal_value(value)
        if not EARLIEST <= instant <= LATEST:
            raise serializers.ValidationError("Must be between the years 1970 and 9000.")
        return instant


class StartField(InstantField):
    """An instant that a run may start at: no reading of later than a day ahead is taken."""

    def to_internal_value(self, value: Any) -> datetime:
        """The instant."""
        instant = super().to_internal_value(value)
        if instant > timezone.now() + timedelta(microseconds=AHEAD_US):
            raise serializers.ValidationError("Must not be more than a day ahead of the server's clock.")
        return instant
