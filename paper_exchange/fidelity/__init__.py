"""How each of the exchange's rules is known, and what nobody knows yet."""
