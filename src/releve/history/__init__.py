"""Readings as columns: the segments they are kept in, one scan over them, and what is computed from it; pure."""
