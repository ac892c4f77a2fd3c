"""How good a forecast is: scores by lead and threshold, spectra, probabilities and their reliability, tables and pictures."""
