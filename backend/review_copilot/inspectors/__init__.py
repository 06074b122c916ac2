"""Who looks at images: the built-in inspector and vision-language models. The only place that knows a model."""
