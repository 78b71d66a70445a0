"""Learners of effects, one file each, all behind the contract in `aimwell.science.uplift.learner`."""
