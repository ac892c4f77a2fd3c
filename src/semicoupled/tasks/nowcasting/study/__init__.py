"""The study of rain: variants trained alike, counted, compared, and put on a page."""
