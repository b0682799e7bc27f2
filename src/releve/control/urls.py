"""Every route of the control plane."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign] # allauth's own way

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("releve.control.contracts.urls")),
    path("", include("releve.control.accounts.urls")),
    path("", include("releve.control.teams.urls")),
    path("", include("releve.control.fleet.urls")),
    path("", include("releve.control.runs.urls")),
    path("", include("releve.control.families.urls")),
    path("", include("releve.control.keeping.urls")),
    path("", include("releve.control.shares.urls")),
    path("", include("releve.control.pages.urls")),
    path("account/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "releve.control.pages.missing.bad_request"
handler403 = "releve.control.pages.missing.not_allowed"
handler404 = "releve.control.pages.missing.not_found"
handler500 = "releve.control.pages.missing.server_error"
