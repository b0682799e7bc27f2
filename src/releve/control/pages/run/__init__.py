"""The pages of runs: the list, one run, and each change of it."""
