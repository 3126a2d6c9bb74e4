"""Metadata, feedback and wishes, in SQLite or PostgreSQL."""
