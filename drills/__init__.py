"""Long proofs: claims about error rates and safety, shown by running the shipped code many times."""
