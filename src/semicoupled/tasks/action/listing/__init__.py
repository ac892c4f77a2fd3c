"""Lists of labeled videos: one module a format; each gives a `Listing` (see `clip`)."""
