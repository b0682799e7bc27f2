"""The shapes of teams and audit events on the wire."""

from typing import Any

from rest_framework import serializers

from releve.control.accounts.models import AuditKind
from releve.control.teams.models import Role


class TeamAnswer(serializers.Serializer[Any]):
    """A team and your role in it."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)


class TeamList(serializers.Serializer[Any]):
    """Your teams, by name."""

    data = TeamAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class EventAnswer(serializers.Serializer[Any]):
    """Something that happened; never with a token or a secret in it."""

    id = serializers.IntegerField()
    time = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=AuditKind.choices)
    is_alert = serializers.BooleanField()
    team = serializers.IntegerField(allow_null=True)
    account = serializers.CharField(allow_null=True, help_text="The e-mail of whom it happened to.")
    device = serializers.CharField(allow_null=True, help_text="The name of the device it happened to.")
    address = serializers.CharField()
    user_agent = serializers.CharField()
    detail = serializers.DictField(child=serializers.CharField())


class EventList(serializers.Serializer[Any]):
    """One page of events, the latest first."""

    data = EventAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.IntegerField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")
