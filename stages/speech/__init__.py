"""Speech: narration in lines, each read by a voice, with the time of every word."""
