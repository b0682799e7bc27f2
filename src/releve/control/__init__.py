"""The control plane: everything that is not a reading. The only package that knows Django."""
