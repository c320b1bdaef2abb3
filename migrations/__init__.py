"""The migrations that bring a database to the tables of `app/db/`, and back (Alembic, configured in pyproject.toml)."""
