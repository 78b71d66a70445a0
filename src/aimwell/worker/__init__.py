"""Background work; nothing here yet."""
