"""Who signs in, how, and what happened: accounts, sign-ins, audit events."""
