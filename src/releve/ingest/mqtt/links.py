"""The links of one worker, by every name that they are asked for."""

from collections import defaultdict
from uuid import UUID
from weakref import WeakValueDictionary

from releve.ingest.mqtt.client import Client
from releve.ingest.mqtt.link import Link


class Links:
    """Who is connected, and who is gone and has a will that waits."""

    def __init__(self) -> None:
        self._links: WeakValueDictionary[UUID, Link] = WeakValueDictionary()  # as long as its client is held
        self._open: dict[UUID, Link] = {}
        self._claimed: dict[UUID, Link] = {}  # their client id is theirs in the database, too
        self._by_name: defaultdict[str, set[Link]] = defaultdict(set)
        self._watching: set[Link] = set()

    def __len__(self) -> int:
        """How many are connected."""
        return len(self._open)

    @property
    def open(self) -> tuple[Link, ...]:
        """Those that are connected."""
        return tuple(self._open.values())

    @property
    def all(self) -> set[Link]:
        """Those that are connected, and those that are not and still to be asked about."""
        return {*self._open.values(), *self._claimed.values()}

    @property
    def watching(self) -> tuple[Link, ...]:
        """Those whose clients hear live readings."""
        return tuple(self._watching)

    def of(self, client: Client) -> Link:
        """The link of a client."""
        return self._links[client.id]

    def claimed(self, link_id: UUID) -> Link | None:
        """The link that holds a client id; None when it is another worker's, or over."""
        return self._claimed.get(link_id)

    def named(self, name: str) -> tuple[Link, ...]:
        """Those of a principal or a sign-in, as the revocation feed names them."""
        return tuple(self._by_name.get(name, ()))

    def connected(self, link: Link) -> None:
        """A connection was opened."""
        self._links[link.client.id] = self._open[link.client.id] = link

    def claim(self, client: Client) -> None:
        """The client has its client id."""
        self._claimed[client.id] = self.of(client)

    def entered(self, client: Client) -> None:
        """The client is in."""
        for name in _names(client):
            self._by_name[name].add(self.of(client))

    def watch(self, client: Client) -> None:
        """The client hears live readings."""
        if not client.is_lost:
            self._watching.add(self.of(client))

    def left(self, client: Client) -> Link:
        """The connection is gone; the link is known by its names until it is forgotten."""
        link = self.of(client)
        self._open.pop(client.id, None)
        self._watching.discard(link)
        return link

    def forget(self, client: Client) -> None:
        """Nothing is left to be done for the client."""
        link = self._claimed.pop(client.id, None)
        if link is None:
            return
        for name in _names(client):
            links = self._by_name.get(name, set())
            links.discard(link)
            if not links:
                self._by_name.pop(name, None)


def _names(client: Client) -> tuple[str, ...]:
    """By what the revocation feed names a client."""
    sender = client.sender
    if sender is None:
        return ()
    return (sender.principal, f"signin:{sender.sign_in}") if sender.sign_in else (sender.principal,)
