"""The ledger (what is being done) has its place here; it comes with journeys and the outbox."""
