"""Sound as people have it: read in any format, placed in time, and with channels that do not cancel each other out."""
