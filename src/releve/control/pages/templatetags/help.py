"""Where a page's own help is."""

from django import template
from django.urls import reverse

register = template.Library()

OF_SECTION = {
    "devices": "howto/add-a-device",
    "runs": "howto/runs",
    "machines": "howto/machines",
    "racing": "howto/race",
    "profilometres": "howto/profiles",
    "shares": "howto/share",
    "team": "howto/team",
}


@register.simple_tag
def help_address(section: str = "") -> str:
    """The how-to of the part of the pages that one is in, or the list of them all."""
    key = OF_SECTION.get(section)
    return reverse("help-page", args=[key]) if key else reverse("help")
