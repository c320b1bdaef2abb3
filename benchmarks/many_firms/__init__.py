"""What many firms of mixed size on one database cost: their first runs, a day's slots and webhooks, and a full run."""
