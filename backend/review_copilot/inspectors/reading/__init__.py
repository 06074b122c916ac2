"""Read what a model wrote: leniently into JSON, then into the fields of a finding. Knows no endpoint and no picture."""
