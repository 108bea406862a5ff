"""Everything that outlives a process: the database, files by their content, the queue. Knows neither HTTP nor Celery tasks."""
