"""SQL and the few functions that run it."""
