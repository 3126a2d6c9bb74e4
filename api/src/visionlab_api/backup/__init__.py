"""Database and store in one file, and back. See docs/decisions/0012-backup-and-restore.md."""
