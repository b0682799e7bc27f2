"""Django commands of the runs app."""
