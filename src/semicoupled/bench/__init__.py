"""How fast, and with how much memory: ours beside the reference loop and the rivals, measured in one run."""
