"""Faults, limits and quirks that the simulated Clio can show."""
