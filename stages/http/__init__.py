"""Talking to services over HTTP: one client, one mapping of failures, proxies and certificates."""
