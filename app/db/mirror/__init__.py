"""The copy of Clio's records: who sees which record, the catalog, quarantine, the input of the rules."""
