"""Shared links: where they are, how long they live, and how their secret stays out of what is written down. Pure."""

import re

SHORTEST_S, LONGEST_S, USUAL_S = 60, 366 * 86_400, 7 * 86_400
FEWEST_RUNS, MOST_RUNS = 2, 8
MOST_STANDING = 1_000  # of one team
ENTRANCE = "/s/"  # what follows is the secret
COOKIE = "releve_share_"  # what follows is the link's number
_SECRET = re.compile(rf"{ENTRANCE}[\w%~.+-]{{8,}}", re.ASCII)


def path_of(secret: str) -> str:
    """The path of a link.

    >>> path_of("Zm9v")
    '/s/Zm9v/'
    """
    return f"{ENTRANCE}{secret}/"


def without_secrets(text: str) -> str:
    """A text as it may be written down: the path of a link says too much.

    >>> without_secrets("Not Found: /prod/s/Zm9vYmFyZm9vYmFyZm9vYmFy/"), without_secrets("/shared/3/")
    ('Not Found: /prod/s/…/', '/shared/3/')
    """
    return _SECRET.sub(rf"{ENTRANCE}…", text) if ENTRANCE in text else text


def secret_in(cookies: str, number: int) -> str | None:
    """The secret of a link that a browser has opened.

    Args:
        cookies: The Cookie header.
        number: The link's.

    >>> secret_in("a=b; releve_share_3=Zm9v", 3), secret_in("releve_share_31=Zm9v", 3)
    ('Zm9v', None)
    """
    for pair in cookies.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == f"{COOKIE}{number}":
            return value
    return None
