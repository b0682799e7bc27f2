"""The shapes of shared links on the wire."""

from typing import Any

from rest_framework import serializers

from releve.control.api.page import LARGEST_ID
from releve.control.shares.models import Kind
from releve.protocol.shared import LONGEST_S, MOST_RUNS, SHORTEST_S, USUAL_S


class ShareRequest(serializers.Serializer[Any]):
    """What is to be shared, one of `device` and `runs`, and for how long."""

    device = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    runs = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        required=False,
        min_length=1,
        max_length=MOST_RUNS,
        help_text="One run, or 2 to 8 that are compared with the first.",
    )
    expires_in_s = serializers.IntegerField(
        default=USUAL_S, min_value=SHORTEST_S, max_value=LONGEST_S, help_text="Seconds; a week by default."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse both, and neither."""
        if ("device" in attrs) == ("runs" in attrs):
            raise serializers.ValidationError({"device": "give one of `device` and `runs`"})
        return attrs


class ShareAnswer(serializers.Serializer[Any]):
    """A link, without its secret."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    team = serializers.IntegerField()
    device = serializers.IntegerField(allow_null=True)
    runs = serializers.ListField(child=serializers.IntegerField())
    by = serializers.CharField(allow_null=True, help_text="The e-mail of who made it.")
    made = serializers.DateTimeField()
    expires = serializers.DateTimeField()
    revoked = serializers.DateTimeField(allow_null=True)
    opened = serializers.IntegerField(help_text="How often somebody has opened it.")
    last_opened = serializers.DateTimeField(allow_null=True)


class ShareMade(ShareAnswer):
    """A new link; its address holds the secret, and is told this once."""

    address = serializers.CharField()


class ShareList(serializers.Serializer[Any]):
    """One page of links, the latest first."""

    data = ShareAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.IntegerField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")
