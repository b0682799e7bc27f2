"""The sign-in routes of contract C."""

from releve.control.api.routing import route
from releve.control.contracts.profilometre.views import Obtain, OwnProfile, Refresh, SignOut, Verify

urlpatterns = [
    *route("api/token/", Obtain.as_view(), "token-obtain"),
    *route("api/token/refresh/", Refresh.as_view(), "token-refresh"),
    *route("api/token/verify/", Verify.as_view(), "token-verify"),
    *route("api/auth/profile/", OwnProfile.as_view(), "profile"),
    *route("api/auth/sign-out/", SignOut.as_view(), "sign-out"),
]
