"""A task so small that the command line can be tested with it: how bright is the last frame?"""
