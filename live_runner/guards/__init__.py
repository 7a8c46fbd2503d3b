"""What stops the runner: the kill latch and the limits of the account."""
