"""The records of a simulated firm, and how they are listed, filtered, selected and written."""
