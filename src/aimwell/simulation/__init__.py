"""Synthetic markets and fixtures, always labelled as simulated."""
