"""What a person says of the results: names, corrections, and the log they are kept in."""
