"""Market, decisions and the shadow book: state machines without I/O."""
