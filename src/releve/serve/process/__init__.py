"""Processes: starting, watching and ending them, their ports and logs."""
