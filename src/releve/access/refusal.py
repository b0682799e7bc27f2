"""How the contracts say that a token is missing, expired or not valid."""

from typing import Any

from releve.access.authenticate import ExpiredToken, InvalidToken
from releve.protocol.problem import Problem


def in_gyms_words(problem: Problem) -> dict[str, Any]:
    """Contract A's document for a token that is missing, expired or not valid."""
    return {"detail": "Token expiré" if isinstance(problem, ExpiredToken) else "Token invalide"}


def not_valid(problem: Problem) -> dict[str, Any]:
    """Contract C's document for a token that is missing, expired or not valid."""
    if not isinstance(problem, ExpiredToken | InvalidToken):
        return {"detail": "Authentication credentials were not provided."}
    return {
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [{"token_class": "AccessToken", "token_type": "access", "message": problem.detail}],
    }
