"""Starts the parts, watches over them and composes each worker."""
