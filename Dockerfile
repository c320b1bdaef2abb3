# The service on a PostgreSQL of yours: no embedded server in here (LEVITATE_CLIO_DATABASE_URL is required).
# For a `worker` container switch the health check off, for nothing listens there: --no-healthcheck.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/srv
WORKDIR /srv
COPY requirements-run.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements-run.lock \
    && useradd --system --no-create-home levitate
COPY app ./app
COPY migrations ./migrations
USER levitate
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
# A clean end may take 25 seconds: give it --stop-timeout 30.
ENTRYPOINT ["python", "-m", "app.cli"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
