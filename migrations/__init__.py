"""The way of a database to `app/db/tables.py` and back, step by step (Alembic, configured in pyproject.toml)."""
