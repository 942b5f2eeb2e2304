"""Forward migrations of the ledger, run by Alembic inside one transaction each."""
