"""When a client has been silent, or a packet of its has been under way, for too long."""

from releve.protocol.mqtt.limits import Limits

KEEP_ALIVE_GRACE = 1.5  # [MQTT-3.1.2-22], [MQTT-3.1.2-24] of 3.1.1


class Watch:
    """The deadlines of one connection's reading side, in seconds of the caller's clock.

    A packet counts when its last byte is there: a trickle keeps nobody alive.
    """

    __slots__ = ("_heard_at", "_is_paused", "_limits", "_silence_s", "_trickle_since")

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._silence_s = limits.connect_timeout_s  # 0 is for ever
        self._heard_at = now
        self._trickle_since: float | None = None
        self._is_paused = False

    def greeted(self, keep_alive_s: int, now: float) -> None:
        """The client is in; from now on its keep alive counts."""
        self._silence_s = keep_alive_s * KEEP_ALIVE_GRACE
        self.resume(now)

    def received(self, now: float, *, packets: int, pending: int) -> None:
        """So many whole packets came, and so many bytes of the next."""
        if packets:
            self._heard_at = now
        if not pending:
            self._trickle_since = None
        elif packets or self._trickle_since is None:
            self._trickle_since = now

    def pause(self) -> None:
        """We do not read at present, so that the client's silence is ours."""
        self._is_paused = True

    def resume(self, now: float) -> None:
        """We read again."""
        self._is_paused = False
        self._heard_at = now
        if self._trickle_since is not None:
            self._trickle_since = now

    def silent_at(self) -> float | None:
        """When the silence has lasted too long."""
        return None if self._is_paused or not self._silence_s else self._heard_at + self._silence_s

    def stuck_at(self) -> float | None:
        """When the packet under way has taken too long."""
        if self._is_paused or self._trickle_since is None:
            return None
        return self._trickle_since + self._limits.packet_timeout_s
