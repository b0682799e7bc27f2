"""What is committed, on its way to the people who watch."""
