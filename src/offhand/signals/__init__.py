"""Signals: timed measurements of a clip, all fed by one decode."""
