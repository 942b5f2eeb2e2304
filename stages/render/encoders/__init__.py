"""Encoders in software and hardware, and which one makes an export."""
