"""Stages of a run, one module each: read, compute, write."""
