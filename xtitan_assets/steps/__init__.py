"""Pure functions: typed params and paths in, files and a report out. No dagster here."""
