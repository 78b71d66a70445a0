"""Insight that keeps up with what arrives: events into the warehouse, what follows from them into the ledger."""
