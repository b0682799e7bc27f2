"""Names the app for Django."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """The runs app."""

    name = "releve.control.runs"
    label = "runs"
