"""The torch models. Only steps import this package, and only inside functions."""
