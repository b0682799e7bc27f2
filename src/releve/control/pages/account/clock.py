"""An account's own clock and number format: chosen on `/account/settings/`, and in force on every page."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from releve.control.accounts.models import Account, Numbers
from releve.control.fleet.models import validate_zone
from releve.control.pages import access, zone
from releve.control.pages.device.add import ZoneField

NUMBERS = [
    (Numbers.LANGUAGE.value, gettext_lazy("As the language has them")),
    (Numbers.POINT.value, "1234.5"),
    (Numbers.COMMA.value, "1234,5"),
]


class OwnClock:
    """Answers each request on the clock and in the numbers of whoever is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer so."""
        with zone.of(request.user):
            return self.get_response(request)


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when it runs
    """What an account chooses for itself."""

    timezone = ZoneField(
        label=gettext_lazy("Time zone"), required=False, help_text=gettext_lazy("Empty: the server's own.")
    )
    numbers = forms.ChoiceField(label=gettext_lazy("Numbers"), choices=NUMBERS, required=False)

    class Meta:
        """Which fields of an account."""

        model = Account
        fields = ("timezone", "numbers")

    def clean_timezone(self) -> str:
        """It is one that the system knows."""
        name = str(self.cleaned_data["timezone"]).strip()
        if name:
            try:
                validate_zone(name)
            except ValidationError as error:
                said = _("There is no such time zone; one is called Europe/Paris, for instance.")
                raise ValidationError(said) from error
        return name


@require_http_methods(["GET", "HEAD", "POST"])
def own_settings(request: HttpRequest) -> HttpResponse:
    """Show and change them; `next` is the page to go back to, where a page offered it."""
    account = access.account_of(request)
    form = SettingsForm(request.POST if request.method == "POST" else None, instance=account)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved. Pages show instants and numbers so from now on."))
        return redirect(_way_back(request))
    context = {"form": form, "server_zone": settings.RELEVE.time_zone}
    return render(request, "pages/settings.html", context, status=422 if request.method == "POST" else 200)


def own(request: HttpRequest) -> dict[str, object]:
    """What every page says of the clock: its zone, the locale of its numbers, whether the browser's may be offered."""
    user = getattr(request, "user", None)
    is_unsaid = isinstance(user, Account) and not user.timezone
    is_elsewhere = request.method == "GET" and request.path != reverse("account_settings")  # a secret is shown once
    return {
        "own_zone": zone.zone().key,
        "number_locale": zone.number_locale(),
        "offers_zone": is_unsaid and is_elsewhere,
    }


def _way_back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and not urlsplit(wanted).netloc
    return wanted if wanted and is_ours else "account_settings"
