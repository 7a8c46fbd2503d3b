"""The torch models. Only steps that train or export import torch; ``samples`` and ``scores`` are plain numpy."""
