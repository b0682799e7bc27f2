"""The administration site: for superusers, behind the pages' own sign-in; secrets and history are not editable."""

from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditEvent, AuditKind, SignIn
from releve.control.accounts.origin import Origin
from releve.control.fleet.models import Asset, Device, Mount
from releve.control.fleet.services import delete_asset, rename_asset
from releve.control.pages.access import account_of
from releve.control.runs.edit.moving import is_movable, move_device
from releve.control.teams.models import Membership, Team


def is_superuser(request: HttpRequest) -> bool:
    """Nobody else decides over every team."""
    user = request.user
    return bool(user.is_active and user.is_staff and isinstance(user, Account) and user.is_superuser)


admin.site.final_catch_all_view = False  # it would take every address for a route
admin.site.has_permission = is_superuser  # type: ignore[method-assign] # the default site is shared
admin.site.site_header = admin.site.site_title = "Relevé"
admin.site.index_title = _("Administration")
for _module in ("django.contrib.auth.admin", "allauth.account.admin", "allauth.mfa.admin"):
    import_module(_module)  # each registers its models, before some are taken out
admin.site.unregister([Group, EmailAddress, Authenticator])  # roles decide here; factors are their owner's alone


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable when it runs
    """History: looked at, never changed."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - inlines pass it
        """Only the services write it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody rewrites it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody shortens it."""
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg] # not subscriptable when it runs
    """The teams of an account; a further one is given on the team page, which ends what others know of the account."""

    model = Membership
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Only the services add somebody."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django's signature
        """Nor is one membership made into another team's."""
        return ("team",)


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable when it runs
    """People; a new one is made by `releve account add` or on the team page, which draw a password."""

    list_display = ["email", "is_active", "is_staff", "is_superuser", "date_joined"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["email", "first_name", "last_name"]
    fields = ["email", "first_name", "last_name", "language", "is_active", "is_staff", "is_superuser"]
    inlines = [MembershipInline]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Only the services make an account."""
        return False

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Keep in the audit who may no longer sign in, who may again, and who administers everything."""
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data:
            kind = AuditKind.ACCOUNT_ENABLED if obj.is_active else AuditKind.ACCOUNT_DISABLED
            audit.record(kind, Origin.of(request), obj, by=account_of(request))
        if "is_superuser" in form.changed_data:
            kind = AuditKind.ACCOUNT_PROMOTED if obj.is_superuser else AuditKind.ACCOUNT_DEMOTED
            audit.record(kind, Origin.of(request), obj, by=account_of(request))


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable when it runs
    """Teams."""

    search_fields = ["name"]


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable when it runs
    """Devices; a new one is made by `releve device add`, which draws its secret."""

    list_display = ["name", "team", "contract", "timezone", "is_enabled"]
    list_filter = ["contract", "is_enabled", "team"]
    search_fields = ["name"]
    fields = ["name", "team", "contract", "timezone", "is_enabled"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002 - Django's signature
        """A person's or a vehicle's own device stays with its team."""
        return [] if obj is None or is_movable(obj) else ["team"]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Only the services make a device."""
        return False

    def save_model(self, request: HttpRequest, obj: Device, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Keep in the audit what was changed."""
        team = obj.team
        obj.team = Device.objects.get(pk=obj.pk).team
        super().save_model(request, obj, form, change)
        if team != obj.team:
            move_device(obj, team=team, by=account_of(request), origin=Origin.of(request))
        kind = AuditKind.DEVICE_CHANGED
        if "is_enabled" in form.changed_data:
            kind = AuditKind.DEVICE_ENABLED if obj.is_enabled else AuditKind.DEVICE_DISABLED
        audit.record(kind, Origin.of(request), obj, by=account_of(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Its readings carry its number; disable it instead."""
        return False


@admin.register(Asset)
class AssetAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable when it runs
    """What devices are mounted on."""

    list_display = ["name", "kind", "key", "team"]
    list_filter = ["kind", "team"]
    search_fields = ["name", "key"]

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Keep in the audit what it is called now."""
        name = obj.name
        if change:
            obj.name = form.initial["name"]
        super().save_model(request, obj, form, change)
        if name != obj.name:
            rename_asset(obj, name=name, by=account_of(request), origin=Origin.of(request))

    def delete_model(self, request: HttpRequest, obj: Asset) -> None:
        """Keep in the audit that it was deleted."""
        delete_asset(obj, by=account_of(request), origin=Origin.of(request))


@admin.register(Mount)
class MountAdmin(ReadOnly):
    """Which device reported for what."""

    list_display = ["asset", "device", "since"]


@admin.register(SignIn)
class SignInAdmin(ReadOnly):
    """Every sign-in of a person or a device."""

    list_display = ["started_at", "account", "device", "address", "user_agent", "revoked_at", "revoked_reason"]
    list_filter = ["started_at"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    """The audit."""

    list_display = ["time", "kind", "is_alert", "account", "device", "team", "address"]
    list_filter = ["kind", "is_alert", "team"]
