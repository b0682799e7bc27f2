"""Devices, the assets they are mounted on, and the API of both."""
