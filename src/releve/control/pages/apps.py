"""Names the app for Django and connects the browser's sign-ins to the audit."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """The pages app."""

    name = "releve.control.pages"
    label = "pages"

    def ready(self) -> None:
        """Listen to sign-in, sign-out and password change."""
        from releve.control.pages.account import browser  # noqa: PLC0415 - it needs the models, which load first

        browser.connect()
