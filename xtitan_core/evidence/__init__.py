"""Evidence: sequential tests whose error rate holds at every look, with overlapping trades and many candidates.

Pure state machines and closed forms: events in, numbers out. No clocks, no randomness, no files.
"""
