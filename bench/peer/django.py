"""Django REST framework as it is usually written: a token class, a serializer, one ORM insert a request."""

import os
from typing import Any

import django
import jwt
from a2wsgi import WSGIMiddleware
from bench.peer.table import CREATE, keyring
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from psycopg.conninfo import conninfo_to_dict

THREADS = 8  # as many as Relevé gives its own control plane
_keys = keyring()
_url = conninfo_to_dict(os.environ["DATABASE_URL"])
_known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
_database = {name: str(_url[key]) for key, name in _known.items() if key in _url}

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None, **_database}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["rest_framework"],
    LOGGING_CONFIG=None,
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a measurement",
    USE_TZ=True,
)
django.setup()

from django.db import connection, models  # noqa: E402 - after the set-up
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.authentication import BaseAuthentication  # noqa: E402
from rest_framework.exceptions import AuthenticationFailed  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Reading(models.Model):
    device_id = models.IntegerField()
    time = models.DateTimeField()
    channels = models.JSONField()

    class Meta:
        app_label = "bench"
        db_table = "bench_reading"
        managed = False

    def __str__(self) -> str:
        return str(self.pk)


class Token(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[int, None]:
        token = request.META.get("HTTP_TOKEN", "")
        try:
            claims = jwt.decode(token, _keys[jwt.get_unverified_header(token)["kid"]], algorithms=["HS256"])
        except (jwt.InvalidTokenError, KeyError) as error:
            raise AuthenticationFailed from error
        return int(claims["sub"][2:]), None


class ReadingSerializer(serializers.Serializer[Any]):
    machine_id = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
    acceleration_x = serializers.FloatField()
    acceleration_y = serializers.FloatField()
    acceleration_z = serializers.FloatField()
    repetitions = serializers.IntegerField(min_value=0)
    series_time = serializers.FloatField(min_value=0)
    rest_time = serializers.FloatField(min_value=0)


class Data(APIView):
    authentication_classes = (Token,)

    def post(self, request: Request) -> Response:
        serializer = ReadingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        channels = dict(serializer.validated_data)
        time = channels.pop("timestamp")
        Reading.objects.create(device_id=request.user, time=time, channels=channels)
        return Response({"message": "Données reçues", "device": "bench"})


def ready(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(CREATE)
    return HttpResponse("{}", content_type="application/json")


urlpatterns = [path("", ready), path("data", Data.as_view())]
application = WSGIMiddleware(get_wsgi_application(), workers=THREADS)
