"""Names the app for Django."""

from django.apps import AppConfig


class FleetConfig(AppConfig):
    """The fleet app."""

    name = "releve.control.fleet"
    label = "fleet"
