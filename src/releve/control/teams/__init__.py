"""Teams own everything; a role in a team says what an account may do."""
