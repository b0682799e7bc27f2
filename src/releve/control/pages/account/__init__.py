"""The pages of accounts: signing in, sign-ins, the team, the welcome."""
