"""Groups of alike customers: one file per method, and what tells whether the groups are real and worth anything."""
