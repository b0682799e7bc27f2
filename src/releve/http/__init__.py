"""What every HTTP route shares: requests, answers, the guard in front, the server's protocols."""
