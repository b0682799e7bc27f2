"""The MQTT endpoint: listeners, links, sign-in and topics around the sans-I/O session of `protocol.mqtt`."""
