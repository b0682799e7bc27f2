"""Reading back a run: its readings, exports and comparisons."""
