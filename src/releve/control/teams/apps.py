"""Names the app for Django."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """The teams app."""

    name = "releve.control.teams"
    label = "teams"
