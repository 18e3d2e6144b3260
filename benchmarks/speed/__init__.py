"""What a run costs beside bare decoding: ``make bench``."""
