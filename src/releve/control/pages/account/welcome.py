"""`/welcome/`: the printed one-time code makes the first administrator; by POST only, so that no URL holds it."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from releve.control.accounts import limiter
from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.accounts.services import AccountProblem, WrongCode, claim_administrator
from releve.control.pages.forms import WelcomeForm

LIMITED_AS = "the administrator's code"
BACKEND = "releve.control.accounts.backends.AccountBackend"


@sensitive_post_parameters("code", "password")
@never_cache
def welcome(request: HttpRequest) -> HttpResponse:
    """Ask for the code, an e-mail and a password; then sign the administrator in."""
    form = WelcomeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        account = _claim(form, Origin.of(request))
        if account is not None:
            login(request, account, backend=BACKEND)
            return redirect("home")
    is_open = not Account.objects.exists()
    return render(request, "pages/welcome.html", {"form": form, "is_open": is_open})


def _claim(form: WelcomeForm, origin: Origin) -> Account | None:
    now = timezone.now()
    try:
        limiter.refuse_if_blocked(LIMITED_AS, origin, now)
        return claim_administrator(**form.cleaned_data, origin=origin)
    except WrongCode:
        _note_failure(form, origin)
    except limiter.TooManyAttempts as error:
        _say_wait(form, error)
    except AccountProblem as error:
        form.add_error("email", str(error))
    return None


def _note_failure(form: WelcomeForm, origin: Origin) -> None:
    form.add_error("code", _("The code is wrong, or was used already. Starting the server again prints a new one."))
    try:
        limiter.failed(LIMITED_AS, origin, timezone.now())
    except limiter.TooManyAttempts as error:
        _say_wait(form, error)


def _say_wait(form: WelcomeForm, error: limiter.TooManyAttempts) -> None:
    form.add_error(None, _("Too many attempts. Wait %(seconds)s seconds.") % {"seconds": error.retry_after_s})
