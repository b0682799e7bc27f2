"""Accounts of people, their sign-ins and devices' (one row is one token family), and what the audit keeps."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.timezone import now

from releve.protocol.password import normal, spellings


class AccountManager(BaseUserManager["Account"]):
    """Django's own door for `createsuperuser` and allauth; ours is `accounts.services`."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Account":
        """Save an account; without a password nobody can sign in to it."""
        account = self.model(email=email, **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Account":
        """Save an account that may do everything."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "Account":
        """Find an account by its e-mail, whose case does not matter."""
        return self.get(email=(username or "").lower())


class Language(models.TextChoices):
    """Languages that the pages speak."""

    ENGLISH = "en", "English"
    FRENCH = "fr", "Français"


class Numbers(models.TextChoices):
    """How numbers are written: as that language has them, or, empty, as the language of the pages does."""

    LANGUAGE = "", "As the language"
    POINT = "en", "1234.5"
    COMMA = "fr", "1234,5"


class Account(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by e-mail; kept in lower case, so that its case does not matter."""

    email = models.EmailField(unique=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    timezone = models.CharField(max_length=64, blank=True, default="", db_default="")  # empty: the installation's
    numbers = models.CharField(max_length=8, blank=True, choices=Numbers, default="", db_default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=now, editable=False)

    objects: ClassVar[AccountManager] = AccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_email_any_case")]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **options: Any) -> None:
        """Keep the e-mail in lower case."""
        self.email = self.email.lower()
        super().save(*args, **options)

    def set_password(self, raw_password: str | None) -> None:
        """Keep the hash of a new password."""
        super().set_password(None if raw_password is None else normal(raw_password))

    def check_password(self, raw_password: str) -> bool:
        """Whether the password is this one's, in whatever form of Unicode it is typed or was hashed."""
        return any(super(Account, self).check_password(spelling) for spelling in spellings(raw_password))

    def get_full_name(self) -> str:
        """The name to greet a person by, or else the e-mail address."""
        return f"{self.first_name} {self.last_name}".strip() or self.email


class SignIn(models.Model):
    """One sign-in of a person or a device, which is one family of tokens; no token is ever stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, related_name="sign_ins")
    device = models.ForeignKey("fleet.Device", models.CASCADE, null=True, blank=True, related_name="sign_ins")
    generation = models.IntegerField(default=0)
    started_at = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    rotated_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)  # by its access token, within the hour
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.TextField(blank=True)
    address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=256, blank=True)

    class Meta:
        """What the database enforces and finds fast."""

        db_table = "accounts_signin"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(account__isnull=False, device__isnull=True)
                | models.Q(account__isnull=True, device__isnull=False),
                name="accounts_signin_one_principal",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class AuditKind(models.TextChoices):
    """What the audit keeps; the value is the event's name in the API and in the metrics."""

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    LOCKED_OUT = "locked-out"
    REFRESHED = "refreshed"
    REFRESH_REUSED = "refresh-reused"
    SIGNED_OUT = "signed-out"
    SIGN_IN_REVOKED = "sign-in-revoked"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_DISABLED = "account-disabled"
    ACCOUNT_ENABLED = "account-enabled"
    ACCOUNT_PROMOTED = "account-promoted"
    ACCOUNT_DEMOTED = "account-demoted"
    PASSWORD_SET = "password-set"  # noqa: S105 - the name of an event
    FACTOR_REMOVED = "factor-removed"
    TEAM_ADDED = "team-added"
    ROLE_GIVEN = "role-given"
    DEVICE_ADDED = "device-added"
    DEVICE_CHANGED = "device-changed"
    DEVICE_DISABLED = "device-disabled"
    DEVICE_ENABLED = "device-enabled"
    DEVICE_DELETED = "device-deleted"
    DEVICE_BROUGHT_BACK = "device-brought-back"
    SECRET_REPLACED = "secret-replaced"  # noqa: S105 - the name of an event
    CERTIFICATE_ADDED = "certificate-added"
    CERTIFICATE_REMOVED = "certificate-removed"
    MQTT_REFUSED = "mqtt-refused"
    ASSET_CHANGED = "asset-changed"
    ASSET_DELETED = "asset-deleted"
    RUN_CHANGED = "run-changed"
    KEEPING_CHANGED = "keeping-changed"
    READER_GRANTED = "reader-granted"
    READER_REVOKED = "reader-revoked"
    SHARE_MADE = "share-made"
    SHARE_REVOKED = "share-revoked"
    RESTORED = "restored"


class AuditEvent(models.Model):
    """Something that an owner or an auditor will ask about; holds no token, password or secret."""

    time = models.DateTimeField(default=now)
    kind = models.CharField(max_length=32, choices=AuditKind)
    is_alert = models.BooleanField(default=False)
    account = models.ForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="audit_events")
    device = models.ForeignKey("fleet.Device", models.SET_NULL, null=True, blank=True, related_name="audit_events")
    team = models.ForeignKey("teams.Team", models.SET_NULL, null=True, blank=True, related_name="audit_events")
    address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=256, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        """What the database enforces and finds fast."""

        indexes = [
            models.Index(fields=["team", "-id"], name="accounts_audit_team"),
            models.Index(fields=["account", "-id"], name="accounts_audit_account"),
            models.Index(fields=["device", "-id"], name="accounts_audit_device"),
        ]

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M:%S} {self.kind}"


class Attempt(models.Model):
    """Failed sign-ins of one principal from one address within the window."""

    principal = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    failures = models.IntegerField()
    since = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [
            models.UniqueConstraint(fields=["principal", "address"], name="accounts_attempt_principal_address")
        ]
        indexes = [models.Index(fields=["since"], name="accounts_attempt_since")]

    def __str__(self) -> str:
        return f"{self.failures} failures from {self.address}"


class AdministratorCode(models.Model):
    """The one-time code of the very first start; only its hash is kept."""

    code_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"administrator code of {self.created_at:%Y-%m-%d %H:%M}"
