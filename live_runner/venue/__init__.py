"""The venue as the runner meets it: start-up checks, its clock, its history."""
