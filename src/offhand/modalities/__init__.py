"""Modalities: ways to describe a segment."""
