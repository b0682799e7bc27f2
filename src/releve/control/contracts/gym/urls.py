"""The sign-in routes of contract A."""

from releve.control.api.routing import route
from releve.control.contracts.gym.views import Login, Users

urlpatterns = [
    *route("auth/login", Login.as_view(), "gym-login"),
    *route("users", Users.as_view(), "gym-users"),
]
