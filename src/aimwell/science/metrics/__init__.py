"""How good is a score, a probability, an amount, a list: each number with its interval and its one definition."""
