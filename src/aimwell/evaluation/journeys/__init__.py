"""What journeys did and what they changed: funnels from the ledger, lifts against the hold-out."""
