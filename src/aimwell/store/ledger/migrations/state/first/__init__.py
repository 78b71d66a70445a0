"""The tables of the first revision of the state, by their place in the schema."""
