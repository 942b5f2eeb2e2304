"""The artifact store: files by their SHA-256, and what each job was asked for."""
