"""The way from the process that listens to the one that answers people: requests are handed over, streaming."""
