"""What a run is made of: the rules that cut readings into runs, and the arithmetic of its statistics; no I/O."""
