"""The shapes of contract C on the wire."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from releve.control.contracts.gym.serializers import OTP_LENGTH, PASSWORD_LENGTH


class TokenRequest(serializers.Serializer[Any]):
    """An e-mail or a device's name; `email` is accepted for `username`."""

    username = serializers.CharField(max_length=254)
    password = serializers.CharField(
        max_length=PASSWORD_LENGTH, trim_whitespace=False, style={"input_type": "password"}
    )

    otp = serializers.CharField(
        max_length=OTP_LENGTH,
        required=False,
        allow_blank=True,
        help_text="For an account with a second factor: its code of this moment, or a recovery code.",
    )

    def to_internal_value(self, data: Any) -> Any:
        """Let `email` stand for `username`."""
        if isinstance(data, Mapping) and "username" not in data and "email" in data:
            data = {**data, "username": data["email"]}
        return super().to_internal_value(data)


class TokenPairAnswer(serializers.Serializer[Any]):
    """The pair, and nothing further: an ESP32 parses it into 1,024 bytes."""

    access = serializers.CharField()
    refresh = serializers.CharField(required=False)


class RefreshRequest(serializers.Serializer[Any]):
    """A refresh token that was not spent yet."""

    refresh = serializers.CharField()


class VerifyRequest(serializers.Serializer[Any]):
    """An access or a refresh token."""

    token = serializers.CharField()


class SignOutRequest(serializers.Serializer[Any]):
    """The refresh token of the sign-in to end, where no access token says which."""

    refresh = serializers.CharField(required=False)


class Profile(serializers.Serializer[Any]):
    """Who is signed in; a device's e-mail is its name."""

    id = serializers.IntegerField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    date_joined = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=["super_user", "administrateur", "utilisateur"])


class TokenRefusal(serializers.Serializer[Any]):
    """Why not; `code` is for programs."""

    detail = serializers.CharField()
    code = serializers.CharField(required=False)


class TokenMessage(serializers.Serializer[Any]):
    """What is wrong with a token."""

    token_class = serializers.CharField()
    token_type = serializers.CharField()
    message = serializers.CharField()


class AccessRefusal(TokenRefusal):
    """Why a route refuses an access token."""

    messages = TokenMessage(many=True, required=False)
