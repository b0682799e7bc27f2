"""The shapes of sign-ins on the wire."""

from typing import Any

from rest_framework import serializers


class SignInAnswer(serializers.Serializer[Any]):
    """One sign-in that stands."""

    id = serializers.UUIDField()
    started_at = serializers.DateTimeField()
    refreshed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    address = serializers.CharField()
    user_agent = serializers.CharField()
    is_current = serializers.BooleanField(help_text="The sign-in that asks.")


class SignInList(serializers.Serializer[Any]):
    """Your sign-ins, the latest first."""

    data = SignInAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
