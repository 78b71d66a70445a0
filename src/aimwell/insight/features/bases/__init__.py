"""What the built-in families share: orders, days, weeks, goods and categories of each customer."""
