"""The border between training and trading: a signed folder, its manifest, golden vectors and keys."""
