"""What happens to money and contracts: quotes, purchases, ticks, settlement, and what is told of it."""
