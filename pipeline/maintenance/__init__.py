"""Looking after a home: removing what nobody needs, rebuilding a lost ledger, verifying files."""
