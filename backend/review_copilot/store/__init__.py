"""The database: SQLAlchemy Core on SQLite or PostgreSQL. The only place that knows SQL."""
