"""What a list of videos holds, and what is wrong with it."""
