"""The toys: which way, which shape (Fig. 2), how long ago was the star (Sec. 5.3)? All generated."""
