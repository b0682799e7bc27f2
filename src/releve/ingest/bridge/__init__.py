"""A good client of brokers that already exist: their topics in, the PUBACK to them after our commit."""
