"""What this process needs of Django, which only it loads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from whitenoise.base import WhiteNoise

from releve.access.visitor import Browsing


@dataclass(frozen=True)
class Plane:
    """The control plane.

    Attributes:
        application: All its routes, as a WSGI application.
        static_files: The table of its static files.
        session_of: Whose browser session a Cookie header stands for; it blocks.
        counts: What it counted, by event.
    """

    application: Callable[..., Any]
    static_files: WhiteNoise
    session_of: Callable[[str], Browsing | None]
    counts: Callable[[], Mapping[str, int]]

    @classmethod
    def loaded(cls) -> "Plane":
        """Load Django and all of it."""
        from releve.control.wsgi import application  # noqa: PLC0415 - it sets Django up, and reads the environment

        # isort: split
        from releve.control.accounts import counters  # noqa: PLC0415 - once Django is set up
        from releve.control.accounts.session import session_of  # noqa: PLC0415 - see above
        from releve.control.static import static_files  # noqa: PLC0415 - see above

        return cls(application, static_files(), session_of, counters.snapshot)
