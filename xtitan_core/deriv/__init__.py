"""The client's side of Deriv's new API: REST for accounts and one-time passwords, one websocket per password.

``protocol``, ``records``, ``fields`` and ``requests`` do no I/O: frames in, typed values out, and back. ``rest``,
``client``, ``reconnect`` and ``history`` talk to the venue. The paper exchange speaks the same protocol and adds a few
messages of its own.
"""
