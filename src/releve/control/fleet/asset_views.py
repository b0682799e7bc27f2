"""The API of assets: what your devices are mounted on."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.api import page
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.fleet.models import Asset
from releve.control.fleet.queries import assets_of
from releve.control.fleet.serializers import AssetAnswer, AssetList

TAG = ["Fleet"]


class Assets(OwnView):
    """The assets of your teams."""

    @extend_schema(
        operation_id="assets",
        tags=TAG,
        parameters=[page.PageQuery],
        responses={200: AssetList, **refusals(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the machines, vehicles and profilometres of your teams."""
        wanted = page.query(request)
        rows = assets_of(person(request))
        if "team" in wanted:
            rows = rows.filter(team=wanted["team"])
        assets, following = page.ascending(rows, wanted)
        return Response({"data": [_shown(asset) for asset in assets], "next": following})


class OneAsset(OwnView):
    """One asset of your teams."""

    @extend_schema(operation_id="asset", tags=TAG, responses={200: AssetAnswer, **refusals(403, 404)})
    def get(self, request: Request, asset_id: int) -> Response:
        """Show an asset and the devices that reported for it."""
        asset = assets_of(person(request)).filter(pk=asset_id).first()
        if asset is None:
            raise Http404
        return Response(_shown(asset))


def _shown(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.pk,
        "team": {"id": asset.team.pk, "name": asset.team.name},
        "kind": asset.kind,
        "key": asset.key,
        "name": asset.name,
        "devices": [{"id": mount.device.pk, "name": mount.device.name} for mount in asset.mounts.all()],
        "reference": asset.reference_id,
    }
