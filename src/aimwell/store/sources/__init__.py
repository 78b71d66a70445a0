"""Sources: any files or database tables become canonical tables by configuration alone."""
