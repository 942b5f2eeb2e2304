"""Cards: pictures drawn from the words of a scene."""
