"""Tests that start the real processes, kill them and check that they continue correctly."""
