"""Relevé: a telemetry backend whose acknowledgement means committed in PostgreSQL."""

__version__ = "0.1.0"
