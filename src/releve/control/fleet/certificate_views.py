"""The API of the client certificates that a device signs in with over MQTT."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.origin import Origin
from releve.control.api.documents import refusals
from releve.control.api.views import person
from releve.control.fleet import certificate
from releve.control.fleet.queries import editable_device
from releve.control.fleet.serializers import CertificateAccepted, CertificateList, CertificateRequest
from releve.control.fleet.views import TAG, FleetView


class CertificateView(FleetView):
    """A route of a device's certificates."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """One that the device has not is not found."""
        before = super().get_exception_handler()

        def handler(error: Exception, context: dict[str, Any]) -> Response | None:
            return before(Http404() if isinstance(error, certificate.UnknownCertificate) else error, context)

        return handler


class Certificates(CertificateView):
    """The certificates of a device, and those that wait to be."""

    @extend_schema(operation_id="device_certificates", tags=TAG, responses={200: CertificateList, **refusals(403, 404)})
    def get(self, request: Request, device_id: int) -> Response:
        """List the device's certificates, with the claim code by which a certificate's holder names it; for editors.

        A client that connects over MQTT with a certificate of the trusted authority, the claim code as its user name
        and no password waits here until an editor accepts it.
        """
        device = editable_device(person(request), device_id)
        rows = [asdict(row) for row in certificate.certificates_of(device)]
        return Response({"claim": certificate.code_of(device), "data": rows})

    @extend_schema(
        operation_id="addDeviceCertificate",
        tags=TAG,
        request=CertificateRequest,
        responses={201: CertificateAccepted, **refusals(400, 403, 404)},
    )
    def post(self, request: Request, device_id: int) -> Response:
        """Let the device sign in over MQTT with a client certificate, once its holder has named the device.

        `registered` signs in from now on; `accepted` does so from the first time that its holder connects with the
        device's claim code as the user name.
        """
        account = person(request)
        device = editable_device(account, device_id)
        body = CertificateRequest(data=request.data)
        body.is_valid(raise_exception=True)
        fingerprint = body.validated_data["fingerprint"]
        state = certificate.accept_certificate(device, fingerprint=fingerprint, by=account, origin=Origin.of(request))
        return Response({"fingerprint": fingerprint.replace(":", "").lower(), "state": state}, status=201)


class OneCertificate(CertificateView):
    """One certificate of a device."""

    @extend_schema(operation_id="device_certificate_remove", tags=TAG, responses={204: None, **refusals(400, 403, 404)})
    def delete(self, request: Request, device_id: int, fingerprint: str) -> Response:
        """Refuse a certificate from now on, or let one wait no more; links that stand by it end within 5 seconds."""
        account = person(request)
        device = editable_device(account, device_id)
        certificate.remove_certificate(device, fingerprint=fingerprint, by=account, origin=Origin.of(request))
        return Response(status=204)
