"""A market that answers a policy day by day, under frozen regimes whose true effects are known to the last cent."""
