"""Names the app for Django."""

from django.apps import AppConfig


class ReadingsConfig(AppConfig):
    """The readings app."""

    name = "releve.control.readings"
    label = "readings"
