"""The shells around the core: REST, websockets, one-time passwords, real time."""
