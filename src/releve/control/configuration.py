"""Django's settings, made from Relevé's own and `DATABASE_URL`; importing them needs no database and makes no file."""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy
from psycopg.conninfo import conninfo_to_dict

from releve import __version__
from releve.settings import Settings
from releve.storage import keys

RELEVE = Settings.from_environment()  # the control plane's one reading of them: `django.conf.settings.RELEVE`


def _database(url: str) -> dict[str, Any]:
    """Django's words for a libpq address; what it has no word for goes to the driver as it is."""
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = conninfo_to_dict(url)
    named = {word: str(given.pop(key)) for key, word in known.items() if key in given}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "releve",
        **named,
        "OPTIONS": {"application_name": "releve-control", **given},
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


@cache
def _django_secret() -> str:
    return keys.django_secret(RELEVE.data_dir)


_PUBLIC = urlsplit(RELEVE.public_url)
_IS_HTTPS = _PUBLIC.scheme == "https"

# Core

DEBUG = False
SECRET_KEY = lazy(_django_secret, str)()  # read when first asked for, so that a look at the settings makes no file
ALLOWED_HOSTS = ["*"]  # releve.http.edge has looked at it, for both planes
ROOT_URLCONF = "releve.control.urls"
WSGI_APPLICATION = "releve.control.wsgi.application"
APPEND_SLASH = False  # no POST is ever answered with a redirect; each route exists with and without its slash
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": _database(RELEVE.database_url)}
DATA_UPLOAD_MAX_MEMORY_SIZE = RELEVE.body_limit_bytes
LOGGING_CONFIG = None  # the server decides what is logged, and Django's own set-up would log requests

INSTALLED_APPS = [
    "releve.control.accounts",
    "releve.control.teams",
    "releve.control.fleet",
    "releve.control.readings",
    "releve.control.runs",
    "releve.control.keeping",
    "releve.control.shares",
    "releve.control.api",
    "releve.control.pages",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "releve.control.patience.statement_timeout",
    "django.middleware.security.SecurityMiddleware",
    "releve.control.api.headers.SecurityHeaders",
    "releve.control.pages.packed.PackedPages",
    "releve.control.pages.slash.EitherSlash",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "releve.control.pages.account.browser.BrowserSignIn",
    "releve.control.pages.account.clock.OwnClock",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,  # releve.control.pages stands before allauth and the admin, so its templates win
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "releve.control.pages.room.disk",
                "releve.control.pages.account.clock.own",
                "releve.control.pages.family.families",
            ]
        },
    }
]

# Static files: served straight from the packages, beside Django (`static.py`), nothing to collect

STATIC_URL = f"{RELEVE.root_path.rstrip('/')}/static/"  # a gateway may forward nothing but what has the prefix
WHITENOISE_STATIC_PREFIX = "/static/"  # which the data plane has taken off by then

# Language and time

LANGUAGE_CODE = RELEVE.language
LANGUAGES = [("en", gettext_lazy("English")), ("fr", gettext_lazy("French"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Cookies, headers, hosts

SESSION_ENGINE = "releve.control.accounts.session_store"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _IS_HTTPS
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"] if _PUBLIC.netloc else []
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "releve.control.pages.missing.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"

# Accounts

AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["releve.control.accounts.backends.AccountBackend"]
PASSWORD_HASHERS = [
    "releve.control.accounts.hasher.Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # a reset link on the console would be in the log

ACCOUNT_ADAPTER = "releve.control.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "releve.control.accounts.factor_adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _IS_HTTPS
MFA_TOTP_ISSUER = "Relevé"

# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "releve.control.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["releve.control.api.permissions.IsPerson"],
    "DEFAULT_PARSER_CLASSES": ["releve.control.api.parser.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "releve.control.api.negotiation.AlwaysJSON",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "releve.control.api.errors.answer",
    "UNICODE_JSON": True,
}
API_FRAGMENTS = [  # the data plane's part
    "releve.ingest.openapi.document",
    "releve.ingest.rule_action.openapi.document",
    "releve.query.openapi.document",
    "releve.live.openapi.document",
]
SPECTACULAR_SETTINGS = {
    "TITLE": "Relevé",
    "DESCRIPTION": "The telemetry backend whose acknowledgement means committed.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "AUTHENTICATION_WHITELIST": ["releve.control.api.authentication.TokenAuthentication"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AuditKindEnum": "releve.control.accounts.models.AuditKind",
        "CertificateStateEnum": "releve.control.fleet.serializers.CERTIFICATE_STATES",
        "StateEnum": "releve.control.fleet.serializers.STATES",
        "ShareKindEnum": "releve.control.shares.models.Kind",
        "RunKindEnum": "releve.control.runs.models.Kind",
        "AlongEnum": "releve.control.families.capture_serializers.ALONG",
        "PhaseEnum": "releve.control.families.machine_serializers.PHASES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "releve.control.pages.document.openapi.add_data_plane",
    ],
}
