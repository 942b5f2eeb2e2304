"""Pictures for scenes: the providers, and the cards that are drawn when there is no network."""
