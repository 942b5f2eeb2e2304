"""Reading media files: probing and decoding clips."""
