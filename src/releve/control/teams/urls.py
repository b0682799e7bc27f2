"""The routes of teams and the audit."""

from releve.control.api.routing import route
from releve.control.teams.views import Audit, OwnAudit, Teams

urlpatterns = [
    *route("api/v1/teams", Teams.as_view(), "teams"),
    *route("api/v1/audit", Audit.as_view(), "audit"),
    *route("api/v1/audit/own", OwnAudit.as_view(), "audit-own"),
]
