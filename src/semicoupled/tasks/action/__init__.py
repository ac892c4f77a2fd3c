"""Actions in videos: which of some classes, frame by frame and for the whole video (Sec. 2.1 and 5.5)."""
