"""The revisions of the state's tables, oldest first."""
