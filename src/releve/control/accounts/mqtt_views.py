"""Issues the token that a person or a device connects with over MQTT, and says where to."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.models import Account, SignIn
from releve.control.accounts.mqtt_serializers import MqttToken
from releve.control.accounts.queries import standing_sign_in
from releve.control.accounts.sign_in import mqtt_token
from releve.control.api.documents import refusals
from releve.control.api.permissions import IsSignedIn
from releve.control.api.views import OwnView
from releve.control.teams.queries import memberships_of
from releve.protocol import topic
from releve.protocol.site import is_loopback

WEBSOCKET = "/mqtt"


class MqttTokens(OwnView):
    """Where MQTT tokens are issued."""

    permission_classes = (IsSignedIn,)

    @extend_schema(operation_id="mqtt_token", tags=["MQTT"], request=None, responses={200: MqttToken, **refusals()})
    def post(self, request: Request) -> Response:
        """Issue a password for MQTT, of the sign-in that asks.

        A device may publish its own readings with it and hear its commands; a person may hear the live readings of
        their teams and publishes nothing. It opens no route of the API. The link ends with the token, and within five
        seconds of the end of the sign-in.
        """
        now = timezone.now()
        row = _asking(request, now)
        text, expires_at = mqtt_token(row, now)
        return Response(MqttToken({"token": text, "expires": expires_at, **_where(request), **_what(row)}).data)


def _asking(request: Request, now: datetime) -> SignIn:
    """The sign-in of the access token, else of the browser's session.

    Raises:
        NotAuthenticated: It has ended meanwhile.
    """
    if isinstance(request.auth, SignIn):
        return request.auth
    kept = request.session.get("releve_sign_in")
    row = standing_sign_in(UUID(kept), now) if kept else None
    if row is None:
        raise NotAuthenticated
    return row


def _where(request: Request) -> dict[str, Any]:
    """Where MQTT is spoken, as far as this server knows: a proxy may have other ports in front."""
    chosen = settings.RELEVE
    host = urlsplit(f"//{request.get_host()}").hostname or ""
    is_near = is_loopback(host) or not is_loopback(chosen.mqtt_host)
    scheme = "wss" if request.is_secure() else "ws"
    return {
        "host": host,
        "port": chosen.mqtt_port if is_near else None,
        "tls_port": chosen.mqtt_tls_port if chosen.mqtt_certificate else None,
        "websocket": f"{scheme}://{request.get_host()}{chosen.root_path.rstrip('/')}{WEBSOCKET}",
    }


def _what(row: SignIn) -> dict[str, Any]:
    """Whose token it is, and the topics that are theirs."""
    if row.device is not None:
        name = row.device.name
        heard = topic.heard_by(name, contract=row.device.contract)
        return {"username": name, "topics": {"publish": topic.published_by(name), "subscribe": heard}}
    if not isinstance(row.account, Account):
        raise NotAuthenticated
    heard = [topic.live_of_team(each.team_id, "#") for each in memberships_of(row.account)]
    return {"username": row.account.email, "topics": {"publish": [], "subscribe": heard}}
