"""The forms of the pages of runs."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from releve.control.accounts.models import Account
from releve.control.fleet.models import Asset, Device
from releve.control.pages.instant_field import InstantField, to_millisecond
from releve.control.pages.run.figure import choices
from releve.control.runs.listing import deleted_runs_of
from releve.control.runs.models import Kind, Run
from releve.control.runs.queries import runs_of
from releve.protocol.contract import GYM, PROFILOMETRE, RACING

KINDS = [(Kind.RACE, _("Race")), (Kind.SERIES, _("Series")), (Kind.CAPTURE, _("Capture"))]
OPEN, ENDED, DELETED = "open", "ended", "deleted"
STATES = [(OPEN, _("Going on")), (ENDED, _("Ended")), (DELETED, _("Deleted"))]
USUAL = {GYM.name: Kind.SERIES, RACING.name: Kind.RACE, PROFILOMETRE.name: Kind.CAPTURE}


class OpenForm(forms.Form):
    """Opens a run of a device, now."""

    device = forms.ModelChoiceField(label=_("Device"), queryset=Device.objects.none())
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS)
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    asset = forms.ModelChoiceField(
        label=_("Mounted on"), queryset=Asset.objects.none(), required=False, empty_label=_("Not said")
    )

    def __init__(self, *args: Any, devices: QuerySet[Device], assets: QuerySet[Asset], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["device"].queryset = devices  # type: ignore[attr-defined] # a choice of rows has one
        if assets.exists():
            self.fields["asset"].queryset = assets  # type: ignore[attr-defined] # a choice of rows has one
        else:
            del self.fields["asset"]

    def clean(self) -> dict[str, Any]:
        """The asset must be the device's team's."""
        cleaned: dict[str, Any] = super().clean() or {}
        device, asset = cleaned.get("device"), cleaned.get("asset")
        if device is not None and asset is not None and asset.team_id != device.team_id:
            self.add_error("asset", _("It belongs to another team than the device."))
        return cleaned


class FindForm(forms.Form):
    """Which runs are listed."""

    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Every kind")), *KINDS], required=False)
    device = forms.ModelChoiceField(
        label=_("Device"), queryset=Device.objects.none(), required=False, empty_label=_("Every device")
    )
    state = forms.ChoiceField(label=_("State"), choices=[("", _("Every state")), *STATES], required=False)

    def __init__(self, *args: Any, devices: QuerySet[Device], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["device"].queryset = devices  # type: ignore[attr-defined] # a choice of rows has one

    def chosen(self, account: Account) -> QuerySet[Run]:
        """The runs of the account that are meant; what is no choice chooses nothing."""
        self.is_valid()
        wanted = self.cleaned_data
        state = wanted.get("state")
        runs = deleted_runs_of(account) if state == DELETED else runs_of(account)
        runs = runs.filter(kind=wanted["kind"]) if wanted.get("kind") else runs
        runs = runs.filter(device=wanted["device"]) if wanted.get("device") else runs
        return runs.filter(ended_at__isnull=state == OPEN) if state in {OPEN, ENDED} else runs


class RenameForm(forms.Form):
    """Calls a run something else."""

    name = forms.CharField(label=_("Name"), max_length=200, required=False)


class MoveForm(forms.Form):
    """Moves the bounds of a run."""

    started_at = InstantField(label=_("Start"))
    ended_at = InstantField(
        label=_("End"), required=False, help_text=_("The first instant after the run; empty, it goes on.")
    )

    def moved(self, run: Run) -> dict[str, Any]:
        """The bounds that are others now, to the millisecond that a form can tell."""
        given = {name: self.cleaned_data[name] for name in ("started_at", "ended_at")}
        return {name: value for name, value in given.items() if value != _shown(getattr(run, name))}


class SplitForm(forms.Form):
    """Cuts a run in two."""

    at = InstantField(label=_("Where"), help_text=_("A reading at that very instant is the second run's."))


class ExcludeForm(forms.Form):
    """Leaves a span out of every statistic."""

    since = InstantField(label=_("From"))
    until = InstantField(label=_("To"), help_text=_("The first instant that counts again."))
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def clean(self) -> dict[str, Any]:
        """A span ends after it begins."""
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since is not None and until is not None and until <= since:
            self.add_error("until", _("Must be later than the beginning."))
        return cleaned


class CorrectForm(forms.Form):
    """Sets a statistic by hand."""

    statistic = forms.ChoiceField(label=_("Figure"))
    value = forms.FloatField(label=_("Value"), help_text=_("Lengths of time are in seconds."))

    def __init__(self, *args: Any, kind: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["statistic"].choices = choices(kind)  # type: ignore[attr-defined] # a choice has some


def _shown(instant: datetime | None) -> datetime | None:
    return None if instant is None else to_millisecond(instant)
