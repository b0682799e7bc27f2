"""Every reading of a run or a device as one file, streamed."""
