"""Reads over HTTP: readings, machine status, quarantine."""
