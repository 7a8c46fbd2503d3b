"""Trading on a venue: quotes, bookings, ticks, settlement, and the frames they cause."""
