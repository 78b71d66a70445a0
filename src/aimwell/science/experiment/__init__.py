"""What an experiment shows: differences between groups that chance made, with intervals."""
