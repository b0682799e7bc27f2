"""Builds the parts of this floor from the settings."""

from collections.abc import Callable

from releve.access.authenticate import Authenticator
from releve.access.device_sign_in import Count, DeviceSignIn, Lives
from releve.access.secret import Secrets
from releve.protocol.token import Keyring
from releve.settings import Settings
from releve.storage import keys
from releve.storage.device_door import DeviceDoor
from releve.storage.pool import Pool


def authenticator(settings: Settings, pool: Pool, keyring: Keyring) -> Authenticator:
    """What knows tokens and devices' secrets."""
    allowed, window_s = settings.failures_allowed, settings.failure_window_s
    pepper = keys.pepper(settings.data_dir)
    secrets = Secrets(device_door(settings, pool), pepper=pepper, failures_allowed=allowed, failure_window_s=window_s)
    return Authenticator(settings.database_url, pool=pool, keyring=keyring, secrets=secrets)


def device_sign_in(
    settings: Settings, pool: Pool, keyring: Keyring, *, count: Count, is_busy: Callable[[], bool]
) -> DeviceSignIn:
    """What signs devices in."""
    access_s = settings.device_token_s
    return DeviceSignIn(
        device_door(settings, pool),
        keyring=keyring,
        pepper=keys.pepper(settings.data_dir),
        lives=Lives(sign_in_s=max(settings.refresh_token_s, access_s), access_s=access_s),
        failure_window_s=settings.failure_window_s,
        count=count,
        is_busy=is_busy,
    )


def device_door(settings: Settings, pool: Pool) -> DeviceDoor:
    """The database's side of devices' sign-in, with its limits."""
    return DeviceDoor(pool, failures_allowed=settings.failures_allowed, failure_window_s=settings.failure_window_s)
