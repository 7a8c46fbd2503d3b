"""What starts runs from outside: triggers and alerts."""
