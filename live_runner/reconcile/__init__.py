"""Reconciliation: the ledger is compared with the venue's records and unknown purchases are resolved."""
