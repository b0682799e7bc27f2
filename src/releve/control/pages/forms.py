"""The forms of our own pages; allauth has its own."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from releve.control.accounts.models import Account
from releve.control.teams.models import Role


class WelcomeForm(forms.Form):
    """Makes the first administrator."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=64,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "off",
                "spellcheck": "false",
                "class": "code-input",
            }
        ),
    )
    email = forms.EmailField(
        label=_("Email"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=256,
        help_text=_("At least 10 characters. A sentence that you remember is better than a short riddle."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_code(self) -> str:
        """A code pasted with the spaces around it is the code."""
        return str(self.cleaned_data["code"]).strip()

    def clean(self) -> dict[str, Any]:
        """Hold the password to the rules that every password is held to."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "password" in cleaned:
            try:
                validate_password(cleaned["password"], Account(email=cleaned.get("email", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class MemberForm(forms.Form):
    """Adds a person to a team."""

    email = forms.EmailField(label=_("Email"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(Role.VIEWER, _("Viewer")), (Role.EDITOR, _("Editor")), (Role.ADMIN, _("Administrator"))],
    )
