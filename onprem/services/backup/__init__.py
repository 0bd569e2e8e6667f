"""Backups: made while the server runs, verified without it, restored in its place."""
