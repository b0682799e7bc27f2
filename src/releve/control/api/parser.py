"""Reads the bodies of the control plane by the same strict rules as the data plane."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from releve.protocol import strict_json


class StrictJSONParser(BaseParser):
    """JSON and nothing else; what breaks a rule is refused with the place and the reason."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - the framework's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - the framework's signature
    ) -> Any:
        """Decode the body.

        Raises:
            BadJSON: It is not strict JSON.
        """
        return strict_json.decode(stream.read())


class AnyTypeJSONParser(StrictJSONParser):
    """JSON under any media type or none: `requests.post(url, data=json.dumps(…))` and `curl -d` say what they like."""
