"""The thin folders that map the wire formats of clients in the field onto our words."""
