"""The commands of ``paper_exchange``, one module each: its options (``define``) and what it does (``run``)."""
