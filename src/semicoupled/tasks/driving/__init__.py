"""Driving: the steering angle from the driver's view, frame by frame, and how much of it is time (Sec. 2.3 and 5.7)."""
