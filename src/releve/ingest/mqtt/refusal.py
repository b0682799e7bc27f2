"""What a client asked for that is not its own: told to the log and kept in the audit."""

import structlog

from releve.ingest.mqtt.client import Client
from releve.protocol.problem import Unavailable
from releve.storage.link_store import LinkStore

NAME_LIMIT = 200
_log = structlog.get_logger()


async def keep(store: LinkStore, client: Client, *, what: str, name: str) -> None:
    """Keep an audit event of a refusal; without a database the log alone has it.

    Args:
        store: Keeps the event.
        client: Who asked; of one that is not in nothing is kept.
        what: What was asked for: `publish`, `subscribe` or `will`
        name: The name that it was asked for.
    """
    if (sender := client.sender) is None:
        return
    address = client.peer.address
    number = int(sender.principal.partition(":")[2])
    subject = {"device": number, "team": sender.team_id} if sender.is_device else {"account": number}
    name = name[:NAME_LIMIT]
    _log.warning("mqtt refused", what=what, name=name, principal=sender.principal, address=address)
    try:
        await store.audit("mqtt-refused", address=address, subject=subject, detail={"what": what, "name": name})
    except Unavailable:
        _log.warning("an audit event could not be kept", what=what)
