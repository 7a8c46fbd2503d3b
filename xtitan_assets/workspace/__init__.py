"""The folder, the parameters and the environment that a run works in."""
