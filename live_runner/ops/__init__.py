"""For the operator: control socket, status, summary and metrics port."""
