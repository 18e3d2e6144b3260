"""One-dimensional tools for rhythm: uniform resampling, spectra, and period estimates."""

VERSION = 3
"""Raised whenever a routine in here gives other results: what is made with it is computed anew."""
