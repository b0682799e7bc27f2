"""The routes of devices and assets."""

from releve.control.api.routing import route
from releve.control.fleet.asset_views import Assets, OneAsset
from releve.control.fleet.certificate_views import Certificates, OneCertificate
from releve.control.fleet.channel_views import DeviceChannels
from releve.control.fleet.views import Devices, Disable, Enable, NewSecret
from releve.control.fleet.whole_views import DeviceChanges, RestoreDevice, UndoDeviceChange, WholeDevice

DEVICE = "api/v1/devices/<int:device_id>"

urlpatterns = [
    *route("api/v1/devices", Devices.as_view(), "devices"),
    *route(DEVICE, WholeDevice.as_view(), "device"),
    *route(f"{DEVICE}/restore", RestoreDevice.as_view(), "device-restore"),
    *route(f"{DEVICE}/changes", DeviceChanges.as_view(), "device-changes"),
    *route(f"{DEVICE}/changes/<int:change_id>/undo", UndoDeviceChange.as_view(), "device-change-undo"),
    *route(f"{DEVICE}/channels", DeviceChannels.as_view(), "device-channels"),
    *route(f"{DEVICE}/new-secret", NewSecret.as_view(), "device-new-secret"),
    *route(f"{DEVICE}/disable", Disable.as_view(), "device-disable"),
    *route(f"{DEVICE}/enable", Enable.as_view(), "device-enable"),
    *route(f"{DEVICE}/certificates", Certificates.as_view(), "device-certificates"),
    *route(f"{DEVICE}/certificates/<str:fingerprint>", OneCertificate.as_view(), "device-certificate"),
    *route("api/v1/assets", Assets.as_view(), "assets"),
    *route("api/v1/assets/<int:asset_id>", OneAsset.as_view(), "asset"),
]
