"""Personal data in texts: where it stands, and how it is hidden. Pure functions on strings."""
