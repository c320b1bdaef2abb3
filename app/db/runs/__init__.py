"""Runs: requests, leases, checkpoints, slots and reports.

Modules for other folders: `run_requests`, `runs` (reading, cancelling), `leases` (acquire, renew,
`fenced_transaction`), `checkpoints` (pulls and cursors), `run_logins` (what was done as each login), `listed_ids` (ids
of complete lists), `lookups` (what these lack), `slots` (the schedule), `run_report`. The records that a
run reads are in `app/db/mirror/`.
"""
