"""What people change about runs, and can undo."""
