"""The HTTP facade: routes, services, database."""
