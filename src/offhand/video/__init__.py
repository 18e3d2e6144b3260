"""Reading video: the only package that imports PyAV."""
