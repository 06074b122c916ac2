"""Local marks: dust, scratches, hairs, borders, soft patches. Knows no guideline."""
