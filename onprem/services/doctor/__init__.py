"""`onprem doctor`: what is broken or at risk, and what to do about it."""
