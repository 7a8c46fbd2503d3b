"""The subcommands of `xtitan`, one file each."""
