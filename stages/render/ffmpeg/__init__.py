"""Starting ffmpeg, feeding it, watching it, and reading its errors."""
