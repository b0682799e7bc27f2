"""Contract C, profilometres: the token routes that phones, an ESP32 and a Raspberry Pi call."""
