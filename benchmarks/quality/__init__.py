"""How well clusters and boundaries agree with ground truth: ``make quality FOOTAGE=DIR``."""
