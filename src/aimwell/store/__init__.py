"""The two stores, warehouse and ledger: the only place that connects to an engine."""
