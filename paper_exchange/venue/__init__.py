"""The state of the exchange at one instant: accounts, connections, budgets, lockstep, and the log of what happened."""
