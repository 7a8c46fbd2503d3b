"""The runner's journal, the evidence in it, and drift."""
