"""The study of outlines: kinds and depths trained alike, compared on objects of other images, and put on a page."""
