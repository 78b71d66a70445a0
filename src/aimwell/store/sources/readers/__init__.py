"""Readers, one format a file; each is found by being here."""
