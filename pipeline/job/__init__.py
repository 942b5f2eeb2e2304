"""What a job is called, and what it was asked for."""
