"""The ledger: one SQLite file for jobs, steps, results, attempts, circuits and cooldowns."""
