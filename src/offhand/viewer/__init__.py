"""The report with the video beside it, served on this machine alone, and corrected there."""
