"""Choosing with known chances, and judging other ways of choosing by what was chosen (off-policy evaluation)."""
