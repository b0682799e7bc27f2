"""Background work: one loop, and a file for each service that it runs."""
