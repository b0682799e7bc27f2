"""The control plane's routes of every contract."""

from django.urls import include, path

urlpatterns = [
    path("", include("releve.control.contracts.gym.urls")),
    path("", include("releve.control.contracts.profilometre.urls")),
    path("", include("releve.control.contracts.racing.urls")),
]
