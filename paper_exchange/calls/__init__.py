"""The calls: one module per group, one function per call; ``dispatch`` chooses among them."""
