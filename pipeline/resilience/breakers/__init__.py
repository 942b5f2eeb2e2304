"""Circuit breakers: pybreaker with a window of time, a half-open period, and state shared in the ledger."""
