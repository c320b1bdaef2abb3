"""A Clio of our own, as strict as the real one, to develop and test against. It shares no code with the service."""
