"""Alembic's folder: how the schema came to be, one version after the other."""
