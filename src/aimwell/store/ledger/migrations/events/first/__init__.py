"""The tables of the first revision of the events, by their place in the schema."""
