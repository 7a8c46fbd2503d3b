"""The state of the exchange at one instant of venue time."""
