"""One connection served frame by frame: a handler for each kind of frame, and what happens between two frames."""
