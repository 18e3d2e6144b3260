"""Inference: one module a model; the only place that imports inference engines."""
