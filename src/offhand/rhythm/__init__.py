"""One-dimensional tools for rhythm: uniform resampling, spectra, and period estimates."""
