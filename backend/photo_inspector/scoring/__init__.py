"""From measurements to scored readings, with the fitted constants. Knows no guideline."""
