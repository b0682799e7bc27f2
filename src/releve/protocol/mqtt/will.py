"""When a client's will is due (section 3.1.2.5): after its delay, unless good-byes or a new connection cancel it."""

from releve.protocol.mqtt.packet import Will


class Testament:
    """The will of one connection; there may be none."""

    __slots__ = ("_due_at", "_will")

    def __init__(self, will: Will | None) -> None:
        self._will = will
        self._due_at: float | None = None

    def due_at(self) -> float | None:
        """When it is to be published; None while the connection stands or nothing is left."""
        return self._due_at

    def forget(self) -> None:
        """It is no longer wanted [MQTT-3.1.2-10], [MQTT-3.1.3-9]."""
        self._will = None
        self._due_at = None

    def connection_lost(self, now: float, *, expiry_s: int) -> None:
        """The delay starts; the end of the session ends it early [MQTT-3.1.2-8]."""
        if self._will is not None and self._due_at is None:
            delay_s = self._will.properties.will_delay_interval or 0
            self._due_at = now + min(delay_s, expiry_s)

    def session_ended(self, now: float) -> None:
        """The session is over before the delay is."""
        if self._due_at is not None:
            self._due_at = min(self._due_at, now)

    def take_due(self, now: float) -> Will | None:
        """The will, once, when it is due."""
        if self._due_at is None or now < self._due_at:
            return None
        will = self._will
        self.forget()
        return will
