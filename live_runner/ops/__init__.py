"""What an operator touches: the control socket and the metrics port."""
