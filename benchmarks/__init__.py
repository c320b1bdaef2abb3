"""Measurements. Nothing here is asserted; quote ratios taken in one run."""
