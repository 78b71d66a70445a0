"""The server: events come in by HTTP as the open libraries of the Segment specification send them, and are kept."""
