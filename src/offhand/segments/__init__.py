"""Cutting clips into segments."""
