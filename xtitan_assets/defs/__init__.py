"""Dagster's definitions: every body calls one step function, which is imported when it runs."""

import warnings

import dagster as dg

# Multi-partition mappings and partitioned checks are still marked beta and preview in 1.13; the graph's snapshot test
# and the automation tests notice when they change.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
