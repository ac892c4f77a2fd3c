"""Steering in use: files, videos and cameras in, tables and videos out, and the replay of a stored drive."""
