"""The shapes of rules on the wire."""

from typing import Any

from rest_framework import serializers

from releve.control.api.body import Body
from releve.protocol.keeping import MOST_DAYS


class DaysBody(Body):
    """How long; null is for ever."""

    raw_days = serializers.IntegerField(
        min_value=1, max_value=MOST_DAYS, allow_null=True, help_text="Readings, from their own time on."
    )
    ladder_days = serializers.IntegerField(
        min_value=1, max_value=MOST_DAYS, allow_null=True, default=None, help_text="Their sums on a grid of time."
    )


class TeamRule(DaysBody):
    """How long the readings of all devices of a team are kept."""

    archive = serializers.BooleanField(default=False, help_text="Write readings to Parquet before they are deleted.")


class DeviceRule(TeamRule):
    """How long the readings of a device are kept, or those of one of its channels."""

    channel = serializers.CharField(max_length=128, allow_blank=True, default="", trim_whitespace=False)


class RuleAnswer(serializers.Serializer[Any]):
    """One rule."""

    team = serializers.IntegerField()
    device = serializers.IntegerField(allow_null=True, help_text="Null: every device of the team.")
    channel = serializers.CharField(help_text="Empty: every channel.")
    raw_days = serializers.IntegerField(allow_null=True)
    ladder_days = serializers.IntegerField(allow_null=True)
    archive = serializers.BooleanField()


class GoingAnswer(serializers.Serializer[Any]):
    """What would go of one device."""

    device = serializers.IntegerField()
    name = serializers.CharField()
    readings = serializers.IntegerField()
    bytes = serializers.IntegerField()
    thinned = serializers.IntegerField(help_text="Readings that lose a channel.")
    thinned_bytes = serializers.IntegerField()


class RuleSet(serializers.Serializer[Any]):
    """What counts from now on; for `?dry_run=true` what would go, and nothing is changed."""

    rule = RuleAnswer(allow_null=True)
    dry_run = serializers.BooleanField()
    would_delete = GoingAnswer(many=True, required=False)


class RuleList(serializers.Serializer[Any]):
    """The rules of your teams."""

    data = RuleAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class ChannelDays(serializers.Serializer[Any]):
    """How long one channel is kept."""

    raw_days = serializers.IntegerField(allow_null=True)
    ladder_days = serializers.IntegerField(allow_null=True)


class InForce(ChannelDays):
    """What the rules come to for a device."""

    archive = serializers.BooleanField()
    channels = serializers.DictField(child=ChannelDays())


class DeletedAnswer(serializers.Serializer[Any]):
    """Where readings are no longer there."""

    channel = serializers.CharField(help_text="Empty: whole readings.")
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField()


class DeviceKeeping(serializers.Serializer[Any]):
    """The rules about a device, what they come to, and where readings were deleted."""

    rules = RuleAnswer(many=True)
    in_force = InForce()
    deleted = DeletedAnswer(many=True)
