"""What the people of each family of clients look at, computed when asked: a machine, a race, a capture."""
