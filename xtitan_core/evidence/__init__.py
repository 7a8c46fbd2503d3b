"""Evidence: sequential tests that stay honest at every look, under overlap, and over many candidates.

Pure state machines and closed forms: events in, numbers out. No clocks, no randomness, no files.
"""
