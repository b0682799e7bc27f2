"""What the bodies of our own routes have in common: a field that they do not know is refused."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

NAMED = 5  # unknown fields that a refusal names
LONGEST_NAME = 64


class Body(serializers.Serializer[Any]):
    """The shape of a body; nobody is left to believe that a field was heeded which there is not.

    The contracts' bodies are no such ones: their published clients may send more than is read.
    """

    def to_internal_value(self, data: Any) -> Any:
        """The checked values.

        Raises:
            ValidationError: A field is wrong, or unknown.
        """
        unknown = [str(name) for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            reason = f"is not a field here; there are {', '.join(self.fields)}"
            raise serializers.ValidationError({name[:LONGEST_NAME]: [reason] for name in unknown[:NAMED]})
        return super().to_internal_value(data)
