"""The address that people and devices reach this server at, for the commands that pages show."""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def of(request: HttpRequest | Request) -> str:
    """The public address where one is set, else the one that the browser used."""
    public: str = settings.RELEVE.public_url
    return (public or f"{request.scheme}://{request.get_host()}").rstrip("/")
