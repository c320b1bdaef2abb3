"""The records of a simulated firm, and how they are listed, filtered, sorted, rendered and written. No HTTP here.

One engine serves all kinds of records. A kind is described by `schema.SCHEMAS` (fields), `listing.LISTS` (parameters),
`filters`, `ordering` and `writes.WRITES`. Other folders use `firm.Firm`, `listing`, `field_selection`, `writes` and
`refusals`.
"""
