"""The client certificates on a device's page: what waits is accepted, what there is removed."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from releve.control.accounts.origin import Origin
from releve.control.fleet import certificate
from releve.control.fleet.models import Device
from releve.control.fleet.services import PersonsOwn
from releve.control.pages import access


@require_POST
def accept(request: HttpRequest, device_id: int) -> HttpResponse:
    """Let the device sign in with a certificate, once its holder has named the device."""
    account = access.account_of(request)
    device = access.device_to_edit(account, device_id)
    fingerprint = request.POST.get("fingerprint", "")
    try:
        state = certificate.accept_certificate(device, fingerprint=fingerprint, by=account, origin=Origin.of(request))
    except certificate.BadFingerprint:
        messages.error(request, _("A fingerprint is the certificate's SHA-256: 64 hexadecimal digits."))
    except certificate.TooManyCertificates:
        messages.error(request, _("The device has 32 certificates; remove one first."))
    except PersonsOwn:
        messages.error(request, _("A person's own device signs in as the person."))
    else:
        if state == "registered":
            messages.success(request, _("The device signs in with this certificate from now on."))
        else:
            messages.success(request, _("Accepted. It counts once the device shows it with the claim code."))
    return redirect("device", device_id)


@require_POST
def remove(request: HttpRequest, device_id: int) -> HttpResponse:
    """Refuse a certificate from now on, or let one wait no more."""
    account = access.account_of(request)
    device = access.device_to_edit(account, device_id)
    fingerprint = request.POST.get("fingerprint", "")
    try:
        certificate.remove_certificate(device, fingerprint=fingerprint, by=account, origin=Origin.of(request))
    except (certificate.BadFingerprint, certificate.UnknownCertificate):
        messages.error(request, _("The device has no such certificate."))
    else:
        messages.warning(request, _("The certificate is removed, and what was connected with it is cut."))
    return redirect("device", device_id)


def context(device: Device) -> dict[str, object]:
    """What the page shows to an editor; nothing where no client certificates are asked for and there are none."""
    rows = certificate.certificates_of(device)
    if device.owner_id is not None or not (rows or settings.RELEVE.mqtt_client_ca):
        return {}
    return {"claim": certificate.code_of(device), "certificates": rows}
