"""Champion and data releases."""
