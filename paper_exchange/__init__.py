"""A local Deriv: the same REST and websocket protocol over simulated, planted or replayed markets.

The matching core (``core.Exchange``) does no I/O: requests and time go in, frames come out. ``server`` puts it behind
one port, ``virtual`` drives it in process.
"""
