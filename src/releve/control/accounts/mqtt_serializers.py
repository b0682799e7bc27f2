"""The shape of an MQTT token on the wire."""

from typing import Any

from rest_framework import serializers


class MqttTopics(serializers.Serializer[Any]):
    """What the token may be used for."""

    publish = serializers.ListField(child=serializers.CharField(), help_text="Topics to publish to.")
    subscribe = serializers.ListField(child=serializers.CharField(), help_text="Filters to subscribe to.")


class MqttToken(serializers.Serializer[Any]):
    """A password for MQTT, and where and for what it is good."""

    token = serializers.CharField(help_text="The password of CONNECT; it opens nothing else.")
    expires = serializers.DateTimeField(help_text="When the token ends, and the link with it.")
    username = serializers.CharField(help_text="The user name of CONNECT.")
    host = serializers.CharField(help_text="The name that this request was sent to.")
    port = serializers.IntegerField(allow_null=True, help_text="MQTT without TLS; null where it cannot be reached.")
    tls_port = serializers.IntegerField(allow_null=True, help_text="MQTT with TLS; null where there is none.")
    websocket = serializers.CharField(help_text="MQTT over WebSocket, subprotocol `mqtt`.")
    topics = MqttTopics()
