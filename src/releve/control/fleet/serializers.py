"""The shapes of devices and assets on the wire."""

from typing import Any

from rest_framework import serializers

from releve.control.api.body import Body
from releve.control.fleet.models import contracts
from releve.protocol.contract import GENERIC

CERTIFICATE_STATES = ["registered", "accepted", "waiting"]
STATES = ["disabled", "waiting", "active", "silent"]


class TeamName(serializers.Serializer[Any]):
    """The team that owns it."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class LinkAnswer(serializers.Serializer[Any]):
    """Whether a device is connected over MQTT."""

    is_online = serializers.BooleanField()
    since = serializers.DateTimeField(help_text="Since when it is, or is not.")


class DeviceAnswer(serializers.Serializer[Any]):
    """A device and when it was last heard."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    team = TeamName()
    contract = serializers.ChoiceField(choices=contracts())
    timezone = serializers.CharField()
    is_enabled = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    state = serializers.ChoiceField(
        choices=STATES, help_text="`waiting` for its first reading; `silent` since more than three of its own gaps."
    )
    last_seen = serializers.DateTimeField(allow_null=True, help_text="When a reading last arrived.")
    last_time = serializers.DateTimeField(allow_null=True, help_text="The latest instant of a reading.")
    link = LinkAnswer(allow_null=True, help_text="Null for a device that never connected over MQTT.")


class DeviceList(serializers.Serializer[Any]):
    """One page of devices."""

    data = DeviceAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.IntegerField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")


class DeviceWithSecret(DeviceAnswer):
    """A device whose secret is shown this once."""

    secret = serializers.CharField()


class SecretAnswer(serializers.Serializer[Any]):
    """The new secret, shown this once."""

    secret = serializers.CharField()


class DeviceChange(Body):
    """What may be changed of a device."""

    name = serializers.CharField(max_length=128, required=False)
    contract = serializers.ChoiceField(choices=contracts(), required=False)
    timezone = serializers.CharField(max_length=64, required=False)
    team = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="The team that has it from now on."
    )

    asset = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**63 - 1,
        help_text="What it is mounted on from now on; null for nothing.",
    )


class DeviceChangeAnswer(serializers.Serializer[Any]):
    """What a person changed of a device, and what that replaced."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    by = serializers.CharField(help_text="Their e-mail; empty for the command line.")
    before = serializers.JSONField()
    after = serializers.JSONField()
    undone_at = serializers.DateTimeField(allow_null=True)


class DeviceChangeList(serializers.Serializer[Any]):
    """The latest changes of a device, the newest first."""

    data = DeviceChangeAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class DeviceRequest(Body):
    """A new device; the team may be left out by whoever edits only one."""

    name = serializers.CharField(max_length=128)
    contract = serializers.ChoiceField(choices=contracts(), default=GENERIC.name)
    timezone = serializers.CharField(max_length=64, required=False)
    team = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


class CertificateRequest(Body):
    """A client certificate, by its SHA-256 in hexadecimal digits; colons between them are left out."""

    fingerprint = serializers.CharField(max_length=95)


class CertificateAccepted(serializers.Serializer[Any]):
    """What became of a certificate that was accepted."""

    fingerprint = serializers.CharField()
    state = serializers.ChoiceField(choices=CERTIFICATE_STATES)


class CertificateAnswer(serializers.Serializer[Any]):
    """A client certificate of a device."""

    fingerprint = serializers.CharField(help_text="Its SHA-256.")
    state = serializers.ChoiceField(
        choices=CERTIFICATE_STATES,
        help_text="`registered` signs in; `waiting` was shown by its holder and waits for an editor; "
        "`accepted` was accepted by an editor and waits for its holder.",
    )
    subject = serializers.CharField(help_text="Whose it says it is; empty while nobody has shown it.")
    address = serializers.CharField(help_text="Where it was shown from.")
    since = serializers.DateTimeField()
    shown = serializers.DateTimeField(allow_null=True, help_text="When its holder last named the device.")


class CertificateList(serializers.Serializer[Any]):
    """A device's certificates, newest first."""

    claim = serializers.CharField(help_text="The user name by which a certificate's holder names the device.")
    data = CertificateAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class DeviceName(serializers.Serializer[Any]):
    """A device by id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class AssetAnswer(serializers.Serializer[Any]):
    """What devices are mounted on, and which have reported for it."""

    id = serializers.IntegerField()
    team = TeamName()
    kind = serializers.CharField()
    key = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    devices = DeviceName(many=True)
    reference = serializers.IntegerField(allow_null=True, help_text="The run that the others are compared with.")


class AssetList(serializers.Serializer[Any]):
    """One page of assets."""

    data = AssetAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again
    next = serializers.IntegerField(allow_null=True, help_text="Ask for `?after=` this; null at the end.")
