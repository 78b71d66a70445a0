"""投放 Delivery: through which channel, when, or why not? Nothing here yet."""
