"""Type for cards and captions: which fonts there are, how wide text runs, and SVG turned into pixels."""
