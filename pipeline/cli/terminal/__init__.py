"""What a person sees: live display, sentences, errors; and the signals of the keyboard."""
