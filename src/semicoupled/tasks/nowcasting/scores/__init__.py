"""How good a forecast is: scores by lead and threshold, spectra, probabilities, reliability, tables and pictures."""
