"""`/help/`: the documentation, served by the server itself."""
