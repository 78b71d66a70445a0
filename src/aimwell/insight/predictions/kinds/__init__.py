"""Kinds of prediction, one file each."""
