"""The study of action: variants trained alike, compared on speakers who were never seen, and put on a page."""
