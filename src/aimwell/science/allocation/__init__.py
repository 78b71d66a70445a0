"""Who gets which treatment, or none, when money and places are short: multiple-choice knapsacks, exact and fast."""
