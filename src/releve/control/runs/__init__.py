"""Runs: stretches of a device's readings (races, series, captures) with statistics that stay true."""
