"""Generators of candidates: one file each."""
