"""The pipeline from ticks to a promoted model: Dagster definitions over plain steps, models, command line, demo."""
