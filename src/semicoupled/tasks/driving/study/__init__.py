"""The study of driving: variants trained alike, compared, and put on a page."""
