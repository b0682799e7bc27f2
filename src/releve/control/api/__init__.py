"""What every JSON route of the control plane shares: authentication, parsing, errors, routing."""
