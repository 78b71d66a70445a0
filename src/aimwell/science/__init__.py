"""Pure mathematics: arrays in, result values out; testable without any store."""
