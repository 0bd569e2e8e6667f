"""The OpenAI audio API: what it is asked for, and what it answers."""
