"""Append-only SQL: a released file is never edited."""
