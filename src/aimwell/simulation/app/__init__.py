"""A simulated finance app with a bank behind it: people who act by themselves, and who answer messages or do not."""
