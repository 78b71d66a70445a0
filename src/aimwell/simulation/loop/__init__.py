"""The loop, closed: policies that decide week by week on a market with known truth, and what each of them earns."""
