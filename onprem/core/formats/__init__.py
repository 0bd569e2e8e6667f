"""Outputs as files that other programs read."""
