"""A person's password as it is hashed: the same characters, however a keyboard or a system spells them. Pure."""

import unicodedata


def normal(password: str) -> str:
    """In Unicode NFKC (NIST SP 800-63B, section 5.1.1.2), so that é is é and a no-break space is a space.

    >>> normal("e\u0301te\u0301\u00a02026") == normal("\u00e9t\u00e9 2026")
    True
    """
    return unicodedata.normalize("NFKC", password)


def spellings(password: str) -> list[str]:
    """Every form that its hash may be of: the normal one, and as typed, as earlier versions hashed it."""
    return list(dict.fromkeys((normal(password), password)))
