"""How each of the exchange's rules is known, and which answers to open questions are in force."""
