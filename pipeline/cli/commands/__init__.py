"""What each command does; the options and their help are in `pipeline/cli/*app.py`."""
