"""The real processes, killed and resumed."""
