"""Made pictures whose outlines are known: to learn from without anybody's data."""
