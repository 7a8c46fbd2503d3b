"""One connection served frame by frame, and what happens between two frames."""
