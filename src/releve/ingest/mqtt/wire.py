"""What a link needs of the transport below it."""

from typing import Protocol


class Wire(Protocol):
    """The transport below a link: TCP, TLS or WebSocket."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def pause(self) -> None:
        """Stop reading."""

    def resume(self) -> None:
        """Read again."""

    def close(self) -> None:
        """Close once everything is sent."""

    def abort(self) -> None:
        """Close now."""

    def is_gone(self) -> bool:
        """Whether the other side closed although nothing is read."""
