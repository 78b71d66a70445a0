"""The ledger: what is being done. Customers as channels know them, journeys, the outbox, and the inbox of events."""
