"""Which team a command means."""

from releve.cli.option import Refusal
from releve.control.teams.models import Team
from releve.control.teams.services import default_team

NAME_LIMIT = 128


def team_called(name: str | None) -> Team:
    """The team of that name, made when there is none; the installation's own for want of a name.

    Raises:
        Refusal: No team can have that name.
    """
    if name is None:
        return default_team()
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise Refusal(f"a team's name has 1 to {NAME_LIMIT} printable characters")
    return Team.objects.get_or_create(name=name.strip())[0]
