"""A caller without a token, on the racing routes of both planes: in which team they act, and what they may. Pure."""

from releve.protocol.sender import EDITORS, READERS

DEFAULT_TEAM = "Home"


def may_look(role: str) -> bool:
    """Whether the role that the operator gives them shows them anything.

    >>> may_look("viewer"), may_look("none")
    (True, False)
    """
    return role in READERS


def may_change(role: str) -> bool:
    """Whether it lets them change something.

    >>> may_change("editor"), may_change("viewer")
    (True, False)
    """
    return role in EDITORS
