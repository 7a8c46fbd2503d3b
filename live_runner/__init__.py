"""The trading host: watches one symbol on one account, decides with a model, and buys through one gate.

``app`` runs it and ``assembly`` puts it together; the folders are listed in docs/architecture.md.
"""
