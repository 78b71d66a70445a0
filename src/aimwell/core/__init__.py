"""The nouns and rules of the domain; imports nothing of ours."""
