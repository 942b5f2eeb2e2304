"""Who is at work on what: job locks, step leases, processes, and clocks that outlive them."""
