"""The path of a reading, from bytes to durable."""
