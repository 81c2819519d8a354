# One image for web, worker, ingest and vision.
FROM python:3.11-slim-bookworm AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends libglib2.0-0 libgomp1 libexpat1 fonts-noto-cjk tini \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /yiwang
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN python -m dashboard.vendor \
 && useradd --uid 10001 --create-home yiwang \
 && mkdir -p /data && chown yiwang /data
USER yiwang
ENV YIWANG_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
ENTRYPOINT ["tini", "--", "python", "-m", "app"]
CMD ["--help"]
