"""Names the app for Django."""

from django.apps import AppConfig


class APIConfig(AppConfig):
    """The api app; it has no tables."""

    name = "releve.control.api"
    label = "api"
