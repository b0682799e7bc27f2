"""A device's newest readings, wherever they lie, as a request's own transaction sees them."""

from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from releve.history.block import Row


def newest(
    device_id: int, *, limit: int, team: int | None = None, before: tuple[int, int] | None = None
) -> "list[Row]":
    """The newest readings of a device, the very newest first.

    Args:
        device_id: Whose.
        limit: Most of them.
        team: Only what was measured while the device was this team's; None for all.
        before: Only those before an instant (microseconds since 1970) and, at that instant, an identity.
    """
    from releve.storage import scan  # noqa: PLC0415 - with numpy, which only those need who read
    from releve.storage.reader import ConnectionReader, now  # noqa: PLC0415 - the same

    connection.ensure_connection()
    reader = ConnectionReader(connection.connection)
    span = scan.EVER if before is None else scan.Span(scan.EVER.from_us, before[0] + 1)
    found: list[Row] = []
    with connection.wrap_database_errors:
        stretches = [span] if team is None else now(scan.owned(reader, device_id, [team], span))
        for stretch in reversed(stretches):
            found += now(scan.newest(reader, device_id, stretch, limit - len(found), before=before))
            if len(found) == limit:
                break
    return found
