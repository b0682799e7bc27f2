"""Contract A, gym machines: how a Raspberry Pi signs in, and the list of the team's accounts."""
