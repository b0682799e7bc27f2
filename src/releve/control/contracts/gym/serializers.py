"""The shapes of contract A on the wire."""

from typing import Any

from rest_framework import serializers

OTP_LENGTH = 64
PASSWORD_LENGTH = 1024  # a slow hash takes no body of megabytes


class LoginRequest(serializers.Serializer[Any]):
    """A device's name, or a person's e-mail, and its secret."""

    device_id = serializers.CharField(max_length=254)
    password = serializers.CharField(
        max_length=PASSWORD_LENGTH, trim_whitespace=False, style={"input_type": "password"}
    )
    otp = serializers.CharField(max_length=OTP_LENGTH, required=False, allow_blank=True)


class LoginAnswer(serializers.Serializer[Any]):
    """The one token that a machine sends in the header `token`."""

    token = serializers.CharField()


class Refusal(serializers.Serializer[Any]):
    """Why not; `code` is for programs."""

    detail = serializers.CharField()
    code = serializers.CharField(required=False)


class User(serializers.Serializer[Any]):
    """An account of the team, without anything secret."""

    id = serializers.IntegerField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    date_joined = serializers.DateTimeField()
    is_active = serializers.BooleanField()
    status = serializers.ChoiceField(choices=["super_user", "administrateur", "utilisateur"])
