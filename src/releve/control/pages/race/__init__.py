"""The pages of vehicles in a race."""
