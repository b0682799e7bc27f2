"""A caller without a token: where they act."""

DEFAULT_TEAM = "Home"
