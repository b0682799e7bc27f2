"""Which team a command means."""

from releve.cli.option import Refusal
from releve.control.teams import services
from releve.control.teams.models import Team


def team_called(name: str | None) -> Team:
    """The team of that name, made when there is none; without a name the installation's own.

    Raises:
        Refusal: No team can have that name.
    """
    try:
        return services.default_team() if name is None else services.team_called(name)
    except services.BadTeamName as error:
        raise Refusal(str(error)) from error
