"""Plausible devices: what each kind measures, and the load that plays many of them over HTTP or MQTT."""
