# One image for web, worker, ingest and vision; `--target training` adds torch for training and the ultralytics detector.
FROM python:3.11-slim-bookworm AS runtime
RUN apt-get update \
 && apt-get install -y --no-install-recommends libglib2.0-0 libgomp1 libexpat1 fonts-noto-cjk tini \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /yiwang
COPY requirements/runtime.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY . .
RUN python -m dashboard.vendor \
 && useradd --uid 10001 --create-home yiwang \
 && mkdir -p /data && chown yiwang /data
USER yiwang
ENV YIWANG_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
ENTRYPOINT ["tini", "--", "python", "-m", "app"]
CMD ["--help"]

FROM runtime AS training
USER root
RUN pip install --no-cache-dir -r requirements/training.txt
USER yiwang

FROM runtime
