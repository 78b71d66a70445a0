"""Proposing a source for files that nobody has described: what they are, what they mean, what to ask."""
