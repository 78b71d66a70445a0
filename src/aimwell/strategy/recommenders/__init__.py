"""Recommenders: which product for which customer; candidates, a booster over them, eligibility, lists with reasons."""
