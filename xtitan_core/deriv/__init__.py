"""The client's side of Deriv's new API: REST for accounts and one-time passwords, one websocket per password.

``protocol`` and ``requests`` are pure: frames in, typed values out, and back. ``rest``, ``client``, ``reconnect`` and
``history`` do the talking. The paper exchange speaks the same protocol plus a few paper-only messages.
"""
