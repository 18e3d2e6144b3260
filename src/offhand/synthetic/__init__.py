"""Fast frames from a seeded script of activities: for tests and trials, not for real footage."""
