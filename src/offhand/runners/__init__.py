"""Running independent tasks: on this machine, later on several."""
