"""What the asset commands do, through the services that the pages and the API use too."""

from typing import Any

from releve.cli.option import Refusal
from releve.control.fleet.models import Asset
from releve.control.runs import reference
from releve.control.runs.models import Run


def rows() -> list[dict[str, Any]]:
    """Every asset, by team and name."""
    return [_row(asset) for asset in Asset.objects.select_related("team").order_by("team__name", "name", "id")]


def set_reference(asset_id: int, run_id: int) -> dict[str, Any]:
    """Choose the run that the others of an asset are compared with; 0 for none."""
    asset = Asset.objects.select_related("team").filter(pk=asset_id).first()
    if asset is None:
        raise Refusal(f"there is no asset {asset_id}; `releve asset list` shows them")
    run = Run.objects.filter(pk=run_id).first()
    if run is None and run_id:
        raise Refusal(f"there is no run {run_id}")
    try:
        return _row(reference.set_reference(asset, run))
    except reference.NotOfTheAsset as refused:
        raise Refusal(str(refused)) from refused


def _row(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.pk,
        "kind": asset.kind,
        "key": asset.key,
        "name": asset.name,
        "team": asset.team.name,
        "reference": asset.reference_id,
    }
