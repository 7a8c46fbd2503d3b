"""What the runner writes for the pipeline to read: records, spools, segments."""
