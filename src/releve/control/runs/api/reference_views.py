"""The API of the run that an asset's others are compared with."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.origin import Origin
from releve.control.api.body import Body
from releve.control.api.documents import refusals
from releve.control.api.page import LARGEST_ID
from releve.control.api.views import OwnView, person
from releve.control.fleet.models import Asset
from releve.control.fleet.queries import assets_of, refuse_unless
from releve.control.runs import queries
from releve.control.runs.api.serializers import RunAnswer
from releve.control.runs.api.shown import run_shown
from releve.control.runs.api.views import checked
from releve.control.runs.reference import reference_of, set_reference
from releve.control.teams.queries import EDITORS, role_in


class ReferenceRequest(Body):
    """One of the asset's runs."""

    run = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)


class Reference(OwnView):
    """The reference of one asset of your teams."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a stranger with 404 and a viewer's change with 403, whatever the body says."""
        super().initial(request, *args, **kwargs)
        asset = _asset(request, kwargs["asset_id"])
        if request.method not in SAFE_METHODS:
            refuse_unless(role_in(person(request), asset.team), EDITORS)

    @extend_schema(operation_id="asset_reference", tags=["Runs"], responses={200: RunAnswer, **refusals(403, 404)})
    def get(self, request: Request, asset_id: int) -> Response:
        """Show the run that the asset's others are compared with; 404 while none is chosen."""
        found = reference_of(_asset(request, asset_id))
        if found is None:
            raise Http404
        return Response(run_shown(found))

    @extend_schema(
        operation_id="asset_reference_set",
        tags=["Runs"],
        request=ReferenceRequest,
        responses={200: RunAnswer, **refusals(400, 403, 404)},
    )
    def put(self, request: Request, asset_id: int) -> Response:
        """Choose the run that the asset's others are compared with."""
        asset = _asset(request, asset_id)
        run = queries.run_for(person(request), checked(ReferenceRequest, request.data)["run"])
        set_reference(asset, run, by=person(request), origin=Origin.of(request))
        return Response(run_shown(run))

    @extend_schema(operation_id="asset_reference_remove", tags=["Runs"], responses={204: None, **refusals(403, 404)})
    def delete(self, request: Request, asset_id: int) -> Response:
        """Have no reference any more; the run stays."""
        set_reference(_asset(request, asset_id), None, by=person(request), origin=Origin.of(request))
        return Response(status=204)


def _asset(request: Request, asset_id: int) -> Asset:
    asset = assets_of(person(request)).filter(pk=asset_id).first()
    if asset is None:
        raise Http404
    return asset
