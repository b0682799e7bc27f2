"""allauth's doors where they would lead nowhere: no account yet, or no way to send mail."""

from allauth.account.views import login as allauth_login
from allauth.account.views import password_reset as allauth_password_reset
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from releve.control.accounts.models import Account
from releve.control.pages import command

NO_MAIL = "django.core.mail.backends.dummy.EmailBackend"


def login(request: HttpRequest) -> HttpResponseBase:
    """Sign in; before the first account there is only the welcome."""
    if request.method == "GET" and not request.user.is_authenticated and not Account.objects.exists():
        return redirect("welcome")
    answer: HttpResponseBase = allauth_login(request)
    return answer


def email(request: HttpRequest) -> HttpResponseBase:
    """An account's address is the name it signs in by; an administrator decides on it.

    Raises:
        Http404: Always.
    """
    raise Http404(request.path)


def password_reset(request: HttpRequest) -> HttpResponseBase:
    """Send a link by mail, or say who else can help."""
    if settings.EMAIL_BACKEND == NO_MAIL:
        is_near = command.is_near(settings.RELEVE)  # strangers need not know where the server keeps its data
        words = f"account set-password {gettext('you@example.com')}"
        context = {"command": command.line(words, names_directory=is_near), "names_directory": is_near}
        return render(request, "pages/no_mail.html", context)
    answer: HttpResponseBase = allauth_password_reset(request)
    return answer
