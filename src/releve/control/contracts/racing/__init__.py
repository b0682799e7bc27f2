"""Contract B, vehicles and races: a thin face of assets and runs for dashboards without a sign-in of their own."""
