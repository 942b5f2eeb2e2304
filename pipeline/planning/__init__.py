"""From a brief to steps: what each step asks of its stage, and what its key is made of."""
