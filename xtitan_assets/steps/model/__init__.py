"""From the snapshot to a signed, judged bundle."""
