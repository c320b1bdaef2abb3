"""A small backend of Levitate: it keeps the contacts of one firm and starts an automation once for each new client."""
