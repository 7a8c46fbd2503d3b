"""The venue: start-up checks, its clock, its history, what a connection must offer, and a fake one for tests."""
