"""The revisions of the events' tables, oldest first."""
