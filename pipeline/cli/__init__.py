"""The command line: `framekeep`. It parses, shows and exits; all work is the public API's."""
