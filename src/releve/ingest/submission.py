"""What a sender brought at once: a request's body, what one read of an MQTT link held, a message of another broker."""

from time import perf_counter

from releve.ingest.aside import aside
from releve.protocol.contract import Contract
from releve.protocol.decode import Arrival, Item, decode, read_one
from releve.protocol.format import Shape, split
from releve.protocol.outcome import Receipt
from releve.protocol.problem import BadReading, Problem
from releve.protocol.reading import Quarantined
from releve.protocol.sender import Sender

Value = tuple[int, str, str, int]  # device, topic, text, and when it came in microseconds since 1970 UTC


class Submission:
    """Readings on their way through the path, and what is to be noted with them: kept together, answered together.

    A sender who can be told is told what is refused: `read` and `read_one`. Where nobody can be told it is kept aside
    with its bytes: `read_untold`.

    Attributes:
        transport: How it came, as in `Arrival`.
        items: One for each reading, in order: what is to be kept, or why it is refused.
        races: The races that cars' samples name, each with the car: whose a race is is noted before its readings are.
        values: The last texts of cars' topics, which are kept after the readings.
        awaits_values: Whether its sender is answered only once the values are kept, too.
        decode_s: How long it took to make readings of its bytes, in seconds.
        receipts: One for each item once all are durable; None until then.
    """

    __slots__ = ("awaits_values", "decode_s", "items", "races", "receipts", "transport", "values")

    def __init__(self, transport: str) -> None:
        self.transport = transport
        self.items: list[Item] = []
        self.races: dict[int | float, Sender] = {}
        self.values: list[Value] = []
        self.awaits_values = False
        self.decode_s = 0.0
        self.receipts: list[Receipt] | None = None

    def read_one(self, payload: bytes, *, contract: Contract, sender: Sender, arrival: Arrival) -> None:
        """Read one reading from its bytes.

        Raises:
            BadReading: It is refused.
        """
        began_s = perf_counter()
        self.items.append(read_one(payload, contract=contract, sender=sender, arrival=arrival, key=arrival.key))
        self.decode_s += perf_counter() - began_s

    def read(self, shape: Shape, *, contract: Contract, sender: Sender, arrival: Arrival) -> None:
        """Read all that a payload holds; of several readings a refused one is an item among the others.

        Raises:
            BadReading: It holds one reading, which is refused.
        """
        began_s = perf_counter()
        self.items += decode(shape, contract=contract, sender=sender, arrival=arrival)
        self.decode_s += perf_counter() - began_s

    def read_untold(
        self, payload: bytes, *, contract: Contract, sender: Sender, arrival: Arrival, batch_limit: int
    ) -> None:
        """Read a payload of whose faults nobody can be told: what is refused is kept aside, each with its own bytes."""
        began_s = perf_counter()

        def kept_aside(raw: bytes, problem: Problem) -> Quarantined:
            return aside(raw, contract=contract, sender=sender, arrival=arrival, problem=problem)

        try:
            shape = split(payload, limit=batch_limit)
            items = decode(shape, contract=contract, sender=sender, arrival=arrival)
        except Problem as problem:
            self.items.append(kept_aside(payload, problem))
        else:
            self.items += [
                kept_aside(raw, BadReading(item.reason or "", field=item.field)) if isinstance(item, Receipt) else item
                for raw, item in zip(shape.payloads, items, strict=True)
            ]
        self.decode_s += perf_counter() - began_s
