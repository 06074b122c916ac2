"""Requests to other machines: one deadline, checked addresses, bounded bodies. Knows no Label Studio and no image."""
