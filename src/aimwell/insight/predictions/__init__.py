"""Predictions: one mechanism for every question about the future of customers."""
