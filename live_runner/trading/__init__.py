"""Market, decisions and shadow trades: state machines without I/O."""
