"""洞察 Insight: who is this person, what will they do? Writes profiles, segments and scores."""
