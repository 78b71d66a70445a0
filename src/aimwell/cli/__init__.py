"""The command line: a thin edge that wires the steps together."""
