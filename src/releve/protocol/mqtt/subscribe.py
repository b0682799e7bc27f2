"""Judges subscription requests as far as the protocol can, and turns verdicts into subscriptions."""

from collections.abc import Sequence

from releve.protocol.mqtt.event import Subscribing
from releve.protocol.mqtt.kind import Kind, Version
from releve.protocol.mqtt.outflow import HIGHEST_GRANTED_QOS
from releve.protocol.mqtt.packet import Suback, Subscribe, SubscriptionRequest, Unsuback, Unsubscribe
from releve.protocol.mqtt.reason import ALLOWED, FIRST_FAILURE, SUBSCRIPTION_FAILED, Reason
from releve.protocol.mqtt.state import SessionState, Subscription
from releve.protocol.mqtt.topic_filter import is_shared, is_topic_filter

SEND_RETAINED = 0
SEND_RETAINED_IF_NEW = 1


def judged(packet: Subscribe, state: SessionState, most_subscriptions: int) -> Subscribing:
    """The request with what the protocol decides decided: filters that are none, shared or too many."""
    verdicts: list[int | None] = []
    held = set(state.subscriptions)
    for request in packet.requests:
        verdict = _verdict(request.topic_filter, held, most_subscriptions)
        verdicts.append(verdict)
        if verdict is None:
            held.add(request.topic_filter)
    open_requests = (request for request, verdict in zip(packet.requests, verdicts, strict=True) if verdict is None)
    identifier = next(iter(packet.properties.subscription_identifier), None)
    return Subscribing(packet.packet_id, tuple(open_requests), identifier, tuple(verdicts))


def _verdict(topic_filter: str, held: set[str], most_subscriptions: int) -> int | None:
    if is_shared(topic_filter):
        return Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
    if not is_topic_filter(topic_filter):
        return Reason.TOPIC_FILTER_INVALID
    if len(held | {topic_filter}) > most_subscriptions:
        return Reason.QUOTA_EXCEEDED
    return None


def answered(event: Subscribing, reasons: Sequence[int], version: Version) -> Suback:
    """The SUBACK that merges the application's reasons into ours, in the requests' order [MQTT-3.9.3-1].

    Raises:
        ValueError: There is not one reason per request.
    """
    granted = (
        reason if reason >= FIRST_FAILURE else min(reason, request.qos, HIGHEST_GRANTED_QOS)
        for reason, request in zip(reasons, event.requests, strict=True)
    )
    merged = [next(granted) if verdict is None else verdict for verdict in event.verdicts]
    next(granted, None)  # lets `zip` compare the lengths
    return Suback(event.packet_id, tuple(_sayable(reason, version) for reason in merged))


def _sayable(reason: int, version: Version) -> int:
    if version is Version.V3_1_1:
        return reason if reason < FIRST_FAILURE else SUBSCRIPTION_FAILED
    return reason if reason in ALLOWED[Kind.SUBACK] else Reason.IMPLEMENTATION_SPECIFIC_ERROR


def subscribe(event: Subscribing, suback: Suback, state: SessionState) -> tuple[Subscription, ...]:
    """Keep what was granted; those for which retained messages are due, by their retain handling.

    A subscription to the same filter is replaced [MQTT-3.8.4-3].
    """
    due: list[Subscription] = []
    ours = (reason for reason, verdict in zip(suback.reasons, event.verdicts, strict=True) if verdict is None)
    for request, reason in zip(event.requests, ours, strict=True):
        if reason < FIRST_FAILURE:
            is_new = request.topic_filter not in state.subscriptions
            subscription = _subscription(request, reason, event.identifier)
            state.subscriptions[request.topic_filter] = subscription
            if request.retain_handling == SEND_RETAINED or (is_new and request.retain_handling == SEND_RETAINED_IF_NEW):
                due.append(subscription)
    return tuple(due)


def _subscription(request: SubscriptionRequest, qos: int, identifier: int | None) -> Subscription:
    return Subscription(request.topic_filter, qos, request.no_local, request.retain_as_published, identifier)


def unsubscribe(packet: Unsubscribe, state: SessionState) -> Unsuback:
    """Forget subscriptions to exactly these filters [MQTT-3.10.4-1]; there is an answer in any case."""
    reasons = tuple(
        Reason.SUCCESS if state.subscriptions.pop(topic_filter, None) is not None else Reason.NO_SUBSCRIPTION_EXISTED
        for topic_filter in packet.topic_filters
    )
    return Unsuback(packet.packet_id, reasons)
