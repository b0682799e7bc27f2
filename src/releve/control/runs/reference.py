"""The run that a vehicle's or a machine's others are compared with."""

from django.db import transaction

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import Asset
from releve.control.runs.models import Run
from releve.protocol.problem import BadRequest


class NotOfTheAsset(BadRequest):
    """A reference is a run of the very asset, which was not deleted."""


def set_reference(asset: Asset, run: Run | None, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Asset:
    """Say which of an asset's runs the others are compared with; None for none of them.

    Raises:
        NotOfTheAsset: The run is another asset's, or it was deleted.
    """
    if run is not None and (run.asset_id != asset.pk or run.deleted_at is not None):
        raise NotOfTheAsset(f"run {run.pk} is no run of {asset.name}", field="run")
    detail = {"asset": str(asset.pk), "reference": str(run.pk) if run else "", "before": str(asset.reference_id or "")}
    asset.reference = run
    with transaction.atomic():
        asset.save(update_fields=["reference"])
        audit.record(AuditKind.ASSET_CHANGED, origin, None, team=asset.team, by=by, detail=detail)
    return asset


def reference_of(asset: Asset | None) -> Run | None:
    """The asset's reference, as long as it still is a run of it."""
    found = None if asset is None else asset.reference
    return found if found is not None and found.deleted_at is None and found.asset_id == asset.pk else None  # type: ignore[union-attr] # there is an asset where there is a reference
