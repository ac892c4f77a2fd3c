"""A number for every frame of a clip: a whole task in one folder, to be copied and changed."""
