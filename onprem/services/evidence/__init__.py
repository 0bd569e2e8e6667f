"""Evidence packs: what an auditor gets, and where each part of it comes from."""
