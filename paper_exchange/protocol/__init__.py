"""What goes over the wire: frames, and which requests are accepted."""
