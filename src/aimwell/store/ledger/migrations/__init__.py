"""How the ledger's tables came to be: one chain of revisions for the state, one for the events, run on opening."""
