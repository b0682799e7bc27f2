"""The process that answers people: Django in threads, what is read back, and static files."""
