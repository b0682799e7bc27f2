"""The pages of profilometres and their captures."""
