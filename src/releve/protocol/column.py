"""What the columns of an exported table are called, so that none is taken for another when it is read again; pure."""

OWN_COLUMNS = ("time", "id", "received", "sent")
EXPORTED = frozenset({"time", "id", "received"})  # the columns that tell an export of ours from any other table
CHANNEL = "channel:"  # in front of a channel that is called like one of ours
_TAKEN = frozenset({*OWN_COLUMNS, "channels"})


def column(channel: str) -> str:
    """The column of a channel.

    >>> column("speed"), column("time")
    ('speed', 'channel:time')
    """
    return f"{CHANNEL}{channel}" if channel in _TAKEN or channel.startswith(CHANNEL) else channel


def channel(name: str) -> str:
    """The channel of a column.

    >>> channel("speed"), channel("channel:time")
    ('speed', 'time')
    """
    return name.removeprefix(CHANNEL)
