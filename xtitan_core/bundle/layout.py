"""What a bundle's folder holds: the names of its files and how large each may be."""

from __future__ import annotations

MANIFEST, SIGNATURE, MODEL, GOLDEN = "manifest.json", "manifest.sig", "model.onnx", "golden.npz"
BUNDLE_FILES = (MANIFEST, SIGNATURE, MODEL, GOLDEN)
"""Names a bundle consists of: no more, no fewer."""

SIZE_CAPS = {MANIFEST: 256 << 10, SIGNATURE: 1 << 10, MODEL: 64 << 20, GOLDEN: 16 << 20}
"""Largest accepted size of each file, in bytes."""
