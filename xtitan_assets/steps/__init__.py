"""The pipeline's work as functions that know no Dagster: typed parameters and paths in, files and a report out."""
