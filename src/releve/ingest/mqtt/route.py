"""What a client's topics are for; asked for each publish, so those of the last few topics are remembered."""

from releve.protocol import topic as topics
from releve.protocol.sender import Sender
from releve.protocol.topic import Route

KNOWN_ROUTES = 64


class Routes:
    """The routes of one link."""

    __slots__ = ("_known", "_sender")

    def __init__(self) -> None:
        self._known: dict[str, Route] = {}
        self._sender: Sender | None = None

    def of(self, topic: str, sender: Sender | None) -> Route | None:
        """What a publish on a topic is for; None when the topic is not the sender's."""
        if sender is not self._sender:  # its name or its contract may be another now
            self._sender = sender
            self._known.clear()
        route = self._known.get(topic)
        if route is None and sender is not None and sender.is_device:
            route = topics.route(topic, device=sender.name)
            if route is not None:
                if len(self._known) >= KNOWN_ROUTES:
                    self._known.clear()
                self._known[topic] = route
        return route
