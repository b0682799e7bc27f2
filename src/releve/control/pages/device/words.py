"""Why a device cannot be changed so, in the reader's language; the services say it in English, to programs."""

from django.utils.translation import gettext as _

from releve.control.fleet import services
from releve.control.runs.edit.deleting import NotDeletable, OthersReadings


def in_words(problem: services.DeviceProblem) -> str:
    """The reason for a person; what has no words of its own is said as the service says it."""
    said = {
        services.BadName: _("Letters, digits and @ . _ - : only, at most 128 of them; not . - or : at the start."),
        services.NameTaken: _("Another device or an account signs in by that name already."),
        services.UnknownZone: _("There is no such time zone; one is called Europe/Paris, for instance."),
        services.PersonsOwn: _("A person's own device signs in as the person."),
        services.ForeignAsset: _("It belongs to another team than the device."),
        services.ChangedSince: _("It was changed again since, or undone already."),
        NotDeletable: _("A person's or a vehicle's own device stays with its owner."),
        OthersReadings: _("Another team had this device and reads what it sent then. Disable it instead."),
    }
    return said.get(type(problem)) or str(problem)
