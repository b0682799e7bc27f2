"""How long a team keeps its readings, and the room that they take."""
