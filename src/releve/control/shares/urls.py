"""The routes of shared links."""

from releve.control.api.routing import route
from releve.control.shares.views import OneShare, Shares

urlpatterns = [
    *route("api/v1/shares", Shares.as_view(), "shares"),
    *route("api/v1/shares/<int:share_id>", OneShare.as_view(), "share"),
]
