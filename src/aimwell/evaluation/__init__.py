"""评估 Evaluation: what did it change? Nothing here yet."""
