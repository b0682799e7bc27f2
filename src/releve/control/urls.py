"""Every route of the control plane."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("releve.control.contracts.urls")),
    path("", include("releve.control.accounts.urls")),
    path("", include("releve.control.teams.urls")),
    path("", include("releve.control.fleet.urls")),
]
