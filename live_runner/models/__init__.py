"""Where models come from, how they are trusted, and the roles they run in."""
