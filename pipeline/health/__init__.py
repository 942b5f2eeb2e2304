"""Checks of this machine, its tools, the home and the providers: by `doctor`, and while a run goes on."""
