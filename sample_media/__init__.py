"""Sample briefs, and the script that makes their pictures and music."""
