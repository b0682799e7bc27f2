"""Names the app for Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts app."""

    name = "releve.control.accounts"
    label = "accounts"
