"""levitate-clio: joins Levitate with Clio Manage. `docs/architecture.md` is the map of this package."""
