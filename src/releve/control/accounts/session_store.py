"""Browsers' sessions as Django keeps them, except that the database alone opens none.

It holds a hash of the cookie, and the data encrypted, because a factor that is being set up waits there. A key has 165
random bits, so a plain hash of it cannot be turned back.
"""

import hashlib
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

from releve.control.accounts import cipher

KEPT_LENGTH = 40  # of Django's own column; a key that it drew has 32 characters


def kept(session_key: str) -> str:
    """What the database holds of a key."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:KEPT_LENGTH]


class SessionStore(db.SessionStore):  # the name is in the signature of what earlier versions stored
    """One browser's session."""

    def exists(self, session_key: str) -> bool:
        """Whether there is a session of that key."""
        return super().exists(kept(session_key))

    async def aexists(self, session_key: str) -> bool:
        """See `exists`."""
        return await super().aexists(kept(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row that is stored."""
        row = super().create_model_instance(data)
        row.session_key = kept(row.session_key)
        return row

    async def acreate_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """See `create_model_instance`."""
        return await sync_to_async(self.create_model_instance)(data)

    def delete(self, session_key: str | None = None) -> None:
        """End a session, this one if no other is named."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(kept(key))

    async def adelete(self, session_key: str | None = None) -> None:
        """See `delete`."""
        await sync_to_async(self.delete)(session_key)

    def encode(self, session_dict: dict[str, Any]) -> str:
        """What is stored of its data."""
        return cipher.encrypt(super().encode(session_dict))

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        """Its data, of an earlier version's row too."""
        text = session_data.decode() if isinstance(session_data, bytes) else session_data
        try:
            return super().decode(cipher.decrypt(text))
        except cipher.Unreadable:
            return {}

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        row = None
        if self.session_key is not None:
            standing = self.model.objects.filter(expire_date__gt=timezone.now())
            row = standing.filter(session_key=kept(self.session_key)).first()
        if row is None:
            self._session_key = None
        return row

    async def _aget_session_from_db(self) -> AbstractBaseSession | None:
        return await sync_to_async(self._get_session_from_db)()
