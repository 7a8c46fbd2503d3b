"""Where models come from, how they are trusted, and the slots they run in."""
