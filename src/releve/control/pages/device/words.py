"""Why a device cannot be changed so, in the reader's language; the services say it in English, to programs."""

from django.utils.translation import gettext as _

from releve.control.fleet import services


def in_words(problem: services.DeviceProblem) -> str:
    """The reason for a person; what has no words of its own is said as the service says it."""
    said = {
        services.BadName: _("Letters, digits and @ . _ - : only, at most 128 of them; not . - or : at the start."),
        services.NameTaken: _("Another device or an account signs in by that name already."),
        services.UnknownZone: _("There is no such time zone; one is called Europe/Paris, for instance."),
        services.PersonsOwn: _("A person's own device signs in as the person."),
    }
    return said.get(type(problem)) or str(problem)
