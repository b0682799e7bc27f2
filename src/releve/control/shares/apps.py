"""Names the app for Django."""

from django.apps import AppConfig


class SharesConfig(AppConfig):
    """The shares app."""

    name = "releve.control.shares"
    label = "shares"
