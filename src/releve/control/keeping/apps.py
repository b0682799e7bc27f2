"""Names the app for Django."""

from django.apps import AppConfig


class KeepingConfig(AppConfig):
    """The app of what is kept."""

    name = "releve.control.keeping"
    label = "keeping"
