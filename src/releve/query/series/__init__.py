"""Charts: a device's channels over a span, or a run's, as buckets or as the readings themselves."""
