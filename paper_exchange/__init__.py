"""A local Deriv: the same REST and websocket protocol over simulated, planted or replayed markets.

``exchange.Exchange`` does no I/O: requests and time go in, frames come out. ``net.server`` puts it behind one port,
``net.virtual`` drives it in process.
"""
