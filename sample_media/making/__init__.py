"""How the sample pictures and the music are made: nothing here is photographed, recorded or copied."""
