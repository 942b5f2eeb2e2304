"""One run of one job: the scheduler, the execution of steps, shared work, recovery and delivery."""
