"""Celery workers: take a job, train it, write down what happened. Never imports the service."""
