"""A yes or no in an address: `?name` alone is yes, and so is what a client writes for it."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

YES = frozenset({"", "1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})


def is_set(request: Request, name: str) -> bool:
    """Whether it stands there and says yes.

    Raises:
        ValidationError: It says something else; the message names it.
    """
    if name not in request.query_params:
        return False
    written = request.query_params[name].lower()
    if written not in YES | NO:
        raise ValidationError({name: ["Must be true or false."]})
    return written in YES
