"""The one migration history of what plain SQL defines: the data plane tables and the triggers."""
