"""From weights to a registered, signed bundle."""
