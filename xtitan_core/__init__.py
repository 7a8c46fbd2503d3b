"""What every side of x.titan must agree on: symbols, contracts, prices, features, evidence, bundle, wire protocol."""

__version__ = "0.1.0"
