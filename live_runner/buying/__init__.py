"""The one gate that may buy, and what brings decisions to it."""
