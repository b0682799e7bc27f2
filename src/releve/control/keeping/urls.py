"""The routes of how long readings are kept."""

from releve.control.api.routing import route
from releve.control.keeping.storage_views import StorageView
from releve.control.keeping.views import OfDevice, OfTeam, Rules

urlpatterns = [
    *route("api/v1/keeping", Rules.as_view(), "keeping"),
    *route("api/v1/storage", StorageView.as_view(), "storage"),
    *route("api/v1/teams/<int:team_id>/keeping", OfTeam.as_view(), "team-keeping"),
    *route("api/v1/devices/<int:device_id>/keeping", OfDevice.as_view(), "device-keeping"),
]
