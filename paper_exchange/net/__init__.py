"""The shells around the exchange: REST, websockets, one-time passwords, real and virtual time."""
