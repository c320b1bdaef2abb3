"""The outbox: activities that are written to Clio.

Modules for other folders: `activities` (values), `outbox` (accept, read, retry, cancel), `contact_leases` (one write
per contact), `maintenance` (periodic work and verification). Nothing here calls Clio.
"""
