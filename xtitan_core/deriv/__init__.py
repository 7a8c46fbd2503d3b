"""Deriv's new API (REST for accounts and one-time passwords, one websocket per one-time password) from the client's side.

``protocol`` and ``requests`` are pure: frames in, typed values out, and back. ``rest``, ``client``, ``reconnect`` and
``history`` do the talking. The paper exchange speaks the same protocol plus a few paper-only messages.
"""
