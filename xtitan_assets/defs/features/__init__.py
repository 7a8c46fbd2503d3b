"""Features and labels of one symbol-day."""
