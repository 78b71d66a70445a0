"""Tags without code: what marketers write in YAML, as a formula, a rule, tiers or a list, beside the tags of code."""
