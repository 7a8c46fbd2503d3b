"""Making the ledger agree with the venue's records."""
