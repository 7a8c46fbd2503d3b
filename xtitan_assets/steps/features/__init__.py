"""Features and labels of one symbol and day."""
