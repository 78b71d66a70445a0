"""Ways to decide who gets which message: everyone, an expert's rule, by propensity, by learnt effects, by the truth."""
