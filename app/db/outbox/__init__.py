"""Activities that are written to Clio, and the leases of contacts."""
