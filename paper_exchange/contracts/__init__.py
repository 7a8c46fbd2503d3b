"""What is offered, what it costs, and the life of what was bought."""
