"""`python -m aimwell` is the command `aimwell`."""

from aimwell.cli.main import run

run()
