"""Read-only links to a run, a comparison or a live device, for people without an account."""
