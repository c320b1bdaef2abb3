"""The mirror of Clio's records.

Modules for other folders: `records` (landing), `visibility` (which connection sees what), `catalog` (the small
lists), `quarantine`, `removals`, `rule_inputs` (what the rules need). Published contacts are in `app/db/contacts/`.
"""
