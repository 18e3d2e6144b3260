"""How well tools are found: ``python -m benchmarks.tools FOOTAGE``."""
