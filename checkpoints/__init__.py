"""What survives a kill: content-addressed artifacts, the records that vouch for them, and the ledger of jobs."""
