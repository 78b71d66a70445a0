"""Decisions: which treatment for whom, or none, within a budget and limits; kept with reasons and probabilities."""
