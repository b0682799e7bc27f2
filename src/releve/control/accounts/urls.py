"""The routes of sign-ins."""

from releve.control.accounts.mqtt_views import MqttTokens
from releve.control.accounts.views import OneSignIn, SignIns
from releve.control.api.routing import route

urlpatterns = [
    *route("api/v1/sign-ins", SignIns.as_view(), "sign-ins"),
    *route("api/v1/sign-ins/<uuid:sign_in_id>", OneSignIn.as_view(), "sign-in"),
    *route("api/v1/mqtt/token", MqttTokens.as_view(), "mqtt-token"),
]
