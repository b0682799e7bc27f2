"""Which kinds of audit events are alerts, on both planes. Pure."""

SIGN_IN_FAILED = "sign-in-failed"
LOCKED_OUT = "locked-out"
ALERTS = frozenset({LOCKED_OUT, "refresh-reused", "mqtt-refused", "restored"})
