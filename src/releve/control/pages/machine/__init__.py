"""The pages of gym machines."""
