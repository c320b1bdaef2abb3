"""Reading Clio: landing pages, deletions, windows, mapping, ETA, suppression of erased people."""
